"""Collections and finished runs made by hand, to build cells from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from harness.collections.collection import Collection, Queries
from harness.records.run_folder import RunFolder
from harness.reports.cells import FinishedRun
from harness.specs.resolve import Resolved
from harness.specs.target import with_runs
from harness.storage.files import write_json


def some_collection(name: str, splits: dict[str, int], documents: int) -> Collection:
    queries = {
        split: Queries(tuple(f"{split}-{number}" for number in range(size)), ("?",) * size, {}, {})
        for split, size in splits.items()
    }
    ids = tuple(f"d{number}" for number in range(documents))
    return Collection(name, True, ids, (".",) * documents, queries)


def some_runs(resolved: Resolved, root: Path, seeds: int = 2) -> list[FinishedRun]:
    """A run of each row and seed, in whose folder is no more than what was drawn."""
    runs = [
        FinishedRun(
            row.name,
            resolved.dataset,
            seed,
            resolved.run(row, seed),
            RunFolder(root / f"{row.name}, seed {seed}"),
        )
        for seed in range(seeds)
        for row in with_runs(resolved.target.rows)
    ]
    for run in runs:
        write_json(run.folder.folder / "done.json", {"drawn": 30, "filled": 3})
    return runs


def record(run: FinishedRun, seconds: float | None, similarity: bool = True) -> None:
    """Write a machine and three steps, each of so many seconds, and a refresh of ten times that.

    A tenth of the refresh are similarities of documents; an older version did not tell.
    """
    hardware = {"cpu": "A processor", "cores": 2, "memory_bytes": 1, "gpus": []}
    write_json(run.folder.folder / "environment.json", {"hardware": hardware, "threads": 1})
    times = {"seconds": seconds, "seconds_drawing": 0.01} if seconds else {}
    for step in range(1, 4):
        run.folder.log("continued", step, loss=1.0, **times)
    if seconds:
        apart = {"seconds_similarity": seconds} if similarity else {}
        run.folder.log(
            "continued mining", 2, seconds_encoding=6 * seconds, seconds_mining=4 * seconds, **apart
        )


def some_scores(
    resolved: Resolved, values: Mapping[tuple[str, int], list[float]], split: str = "test"
) -> pd.DataFrame:
    """The values of (row, seed) on the first printed measure, one a query."""
    about = {"dataset": resolved.dataset, "split": split, "measure": resolved.columns[0].measure}
    return pd.concat(
        [
            pd.DataFrame({"row": row, "seed": seed, **about, "query": range(len(scores)), "value": scores})
            for (row, seed), scores in values.items()
        ],
        ignore_index=True,
    )
