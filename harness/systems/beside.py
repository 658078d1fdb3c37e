"""The rows of a target that are there: of committed results, of results of one's own, or of the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.errors import HarnessError
from harness.records.run_folder import PER_QUERY, RunFolder
from harness.reports.kinds import read_cells
from harness.runs.stages import Stages
from harness.specs.resolve import Resolved
from harness.storage.files import read_parquet
from harness.storage.store import local_results, published_results
from harness.systems.measuring import Measuring
from harness.targets.reproduce import wanted_runs

SCORES = ["row", "seed", "dataset", "split", "measure", "query", "value"]
"""Columns of per-query values."""

STORE = "the store"


@dataclass(frozen=True)
class RowThere:
    """A row of a target on a dataset.

    Attributes:
        name: of the row.
        source: where its values come from.
        same: whether they are of the same collection, by its fingerprint, so that queries can be paired.
        scores: per-query values, columns `SCORES`.
    """

    name: str
    source: str
    same: bool
    scores: pd.DataFrame

    @property
    def seeds(self) -> int:
        """Number of its seeds."""
        return int(self.scores["seed"].nunique())


def rows_there(resolved: Resolved, stages: Stages, of: Measuring) -> dict[str, RowThere]:
    """Return the rows of a target on a dataset that have values, by name in the order of the target.

    Those of the same collection come before others, and committed results before those of one's own and runs
    of the store.
    """
    found: dict[str, RowThere] = {}
    for there in [*_of_results(resolved, stages, of), *_of_store(resolved, stages, of)]:
        known = found.get(there.name)
        if known is None or (there.same and not known.same):
            found[there.name] = there
    order = [row.name for row in resolved.target.rows]
    return {name: found[name] for name in order if name in found}


def _of_results(resolved: Resolved, stages: Stages, of: Measuring) -> Iterator[RowThere]:
    """Yield the rows of results; those that cannot be read are told and left out."""
    content = stages.collections.get(of.collection).fingerprint
    for root in (published_results(), local_results()):
        folder = root / resolved.scale.name / resolved.name
        if not (folder / "cells.json").exists():
            continue
        try:
            same = _fingerprint(folder, of.dataset) == content
            scores = read_parquet(folder / PER_QUERY, "make the target again")
        except HarnessError as error:
            stages.progress.say(f"warning: {error}; its rows are not shown")
            continue
        yield from _by_row(scores, f"{folder}", of.dataset, same=same)


def _fingerprint(folder: Path, dataset: str) -> str:
    """Return the fingerprint of the collection of results, as of a dataset."""
    cells = read_cells(folder / "cells.json")
    if cells.collections is not None and dataset not in cells.collections:
        return ""
    return cells.collection_of(dataset).fingerprint


def _by_row(scores: pd.DataFrame, source: str, dataset: str, *, same: bool) -> Iterator[RowThere]:
    if not set(SCORES) - {"dataset"} <= set(scores.columns):
        return
    own = scores if "dataset" in scores.columns else scores.assign(dataset=dataset)
    for name, values in own[own["dataset"] == dataset].groupby("row", sort=False):
        yield RowThere(str(name), source, same, values[SCORES])


def _of_store(resolved: Resolved, stages: Stages, of: Measuring) -> Iterator[RowThere]:
    """Yield the rows with finished runs in the store."""
    frames: dict[str, list[pd.DataFrame]] = {}
    for run in wanted_runs(resolved):
        if run.dataset != of.dataset:
            continue
        folder = stages.store.run(stages.collections.chain(run.settings).last)
        if not (folder / "done.json").exists():
            continue
        values = RunFolder(folder).per_query()
        frames.setdefault(run.row, []).append(values.assign(row=run.row, seed=run.seed, dataset=run.dataset))
    for name, parts in frames.items():
        yield RowThere(name, STORE, True, pd.concat(parts, ignore_index=True)[SCORES])


def sources(rows: Mapping[str, RowThere]) -> dict[str, list[str]]:
    """Return where rows come from -> their names."""
    by_source: dict[str, list[str]] = {}
    for name, row in rows.items():
        by_source.setdefault(row.source, []).append(name)
    return by_source
