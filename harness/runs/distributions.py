"""The sampling distributions that a run began with, worked out once, in its folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from harness.negatives.examples import example_distributions, spread_rows
from harness.records.run_folder import RunFolder
from harness.runs.stages import Stages
from harness.runs.training import make_sampler
from harness.specs.run_settings import TrainedRun
from harness.storage.files import content_hash, read_parquet, write_parquet

VERSION = 1
"""Raised when the same settings give other numbers."""


@dataclass(frozen=True)
class ExampleSettings:
    """Which distributions of a run are worked out.

    Attributes:
        ranks: number of candidates of each query, from rank 1.
        queries: number of training queries.
    """

    ranks: int
    queries: int

    def path(self, run: RunFolder) -> Path:
        """Return where they lie in the folder of a run."""
        return (
            run.folder
            / "distributions"
            / content_hash(VERSION, asdict(self), run.folder.name)
            / "examples.parquet"
        )


def work_out(stages: Stages, settings: TrainedRun, run: RunFolder, examples: ExampleSettings) -> None:
    """Work out distributions over the candidates of round 0, unless they are in the folder of the run.

    Args:
        stages: that made the run.
        settings: of the run, whose sampler draws from a source.
        run: its folder.
        examples: which ones.
    """
    path = examples.path(run)
    if path.exists():
        return
    candidates = stages.products.candidates(settings)
    rows = spread_rows(candidates, examples.queries)
    sampler = make_sampler(settings.sampler)
    frame = example_distributions(sampler, candidates, rows=list(rows), top=examples.ranks)
    collection = stages.collections.get(settings.collection)
    query_ids, documents = collection.queries["train"].ids, collection.document_ids
    frame["query"] = [query_ids[number] for number in frame["query"]]
    frame["positive"] = [documents[number] for number in frame["positive"]]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parquet(frame, path)


def read_examples(run: RunFolder, examples: ExampleSettings) -> pd.DataFrame:
    """Return what `work_out` wrote: as `example_distributions`, with ids of queries and positives.

    Raises:
        UserError: the file is missing or corrupt.
    """
    path = examples.path(run)
    return read_parquet(path, f"delete {path.parent} and run again")
