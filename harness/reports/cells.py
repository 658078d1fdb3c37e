"""What cells.json, provenance.json and per_query.parquet hold for targets of every kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.collections.collection import Collection
from harness.errors import RunError, UserError
from harness.evaluation.measures import describe_provider
from harness.files import read_json
from harness.records.run_folder import RunFolder
from harness.specs.resolve import Resolved
from harness.specs.settings import RunSettings

Cells = dict[str, Any]


@dataclass(frozen=True)
class FinishedRun:
    """A row's run of one seed."""

    row: str
    seed: int
    settings: RunSettings
    folder: RunFolder


def all_made(failed: Mapping[str, str]) -> None:
    """Refuse rows that failed, where a report needs all of its rows.

    Raises:
        RunError: there are some.
    """
    for row, reason in failed.items():
        more = f" ({len(failed)} rows failed)" if len(failed) > 1 else ""
        raise RunError(f"{reason}{more}", where=row)


def read_per_query(runs: Sequence[FinishedRun], dataset: str) -> pd.DataFrame:
    """Return the per-query values of all runs: columns row, seed, dataset, split, measure, query, value.

    Raises:
        UserError: a file is missing or corrupt.
    """
    frames = []
    for run in runs:
        path = run.folder.folder / "per_query.parquet"
        try:
            frame = pd.read_parquet(path)
        except Exception as error:
            raise UserError(
                f"corrupt file ({error})",
                where=str(path),
                fix="delete it and done.json beside it, and run again",
            ) from error
        frames.append(frame.assign(row=run.row, seed=run.seed, dataset=dataset))
    order = ["row", "seed", "dataset", "split", "measure", "query", "value"]
    return pd.concat(frames, ignore_index=True)[order]


def describe_target(
    resolved: Resolved, runs: Sequence[FinishedRun], columns: Sequence[Cells], collection: Collection
) -> Cells:
    """Return what the cells of every kind of target begin with: what was made, on what, and what is open."""
    target = resolved.target
    return {
        "target": resolved.name,
        "paper": resolved.paper,
        "title": target.title,
        "source": target.source,
        "scale": resolved.scale.name,
        "simulation": collection.simulation,
        "kind": target.kind,
        "unit": target.unit,
        "collection": {
            "name": collection.name,
            "fingerprint": collection.fingerprint,
            "documents": len(collection.documents),
            "queries": {split: len(queries) for split, queries in collection.queries.items()},
        },
        "provider": {
            measure: describe_provider(measure) for measure in sorted({c["measure"] for c in columns})
        },
        "settings_commit": resolved.settings_commit(),
        "reading_notes": resolved.scale_notes(),
        "primary": target.primary,
        "level": target.level,
        "seeds": sorted({run.seed for run in runs}),
        "columns": list(columns),
        "verdict": "pipeline check",
        "notes": resolved.notes(),
    }


def primary_scores(resolved: Resolved, per_query: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of the primary column alone, so that the file of many rows stays small."""
    column = resolved.primary
    chosen = (per_query["measure"] == column.measure) & (per_query["split"] == column.split)
    return per_query[chosen]


def build_provenance(runs: Sequence[FinishedRun], overlap: str | None) -> dict[str, Any]:
    """Return where each figure comes from: run folders, environments, times.

    Args:
        runs: the finished runs.
        overlap: how the built-in collection compares with its manifest, where it is used.
    """
    environments: list[Cells] = []
    entries = []
    for run in runs:
        environment = read_json(run.folder.folder / "environment.json")
        if environment not in environments:
            environments.append(environment)
        result = run.folder.result()
        entries.append(
            {
                "row": run.row,
                "seed": run.seed,
                "fingerprint": run.folder.folder.name,
                "seconds": result.get("seconds"),
                "finished": result.get("finished"),
                "environment": environments.index(environment),
            }
        )
    return {"manifest": overlap, "environments": environments, "runs": entries}
