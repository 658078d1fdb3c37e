"""The cells of sampling distributions: the chance of each candidate of some queries to be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from harness.collections.collection import Collection
from harness.errors import UserError
from harness.reports.cells import Described, FinishedRun, ReportContext, describe_made, describe_target
from harness.reports.content import Content, MadeRow, RunCells
from harness.runs.distributions import ExampleSettings, read_examples, work_out
from harness.runs.stages import Stages
from harness.specs.kinds.distributions import Distributions
from harness.specs.resolve import Resolved
from harness.specs.run_settings import TrainedRun
from harness.specs.target import Row, with_runs
from harness.training.batches import labelled_pairs


class Example(Content):
    """A sampler's distribution on one training query; each list has an entry for each rank, from 1.

    Attributes:
        seed: of the run.
        query: id of the query.
        positive: id of its labelled positive.
        gap: s(q, d-) - s(q, d+) of the candidate.
        first: chance to be drawn first.
        inclusion: chance to be among the n.
    """

    seed: int
    query: str
    positive: str
    gap: list[float]
    first: list[float]
    inclusion: list[float]

    @property
    def above(self) -> int:
        """How many of the shown candidates score higher than the positive."""
        return sum(gap > 0 for gap in self.gap)

    @property
    def peak(self) -> int:
        """The rank that is drawn first with the highest chance, from 1; the first of equals."""
        return int(np.argmax(self.first)) + 1


class DistributionsRow(MadeRow):
    """The examples of a row.

    Attributes:
        candidates: K, how many candidates each query has at most.
        negatives: n, how many are drawn.
        reason: why it could not be made.
    """

    candidates: int
    negatives: int
    examples: list[Example]
    reason: str | None


class DistributionsCells(RunCells):
    """The distribution of each row's sampler on some training queries."""

    ranks: int
    rows: list[DistributionsRow]


def check_distributions(resolved: Resolved, collections: Mapping[str, Collection]) -> None:
    """Check that every row draws from enough candidates for enough queries, before anything is trained.

    Raises:
        UserError: a row draws from no candidates or from fewer than `ranks`, or there are too few queries.
    """
    target = cast("Distributions", resolved.target)
    pairs = len(labelled_pairs(collections[target.dataset], "train").pairs)
    if pairs < target.queries:
        fix = f"set `queries` in {resolved.name} to at most {pairs}"
        what = f"{target.queries} training queries, and only {pairs} have a labelled positive"
        raise UserError(what, where=collections[target.dataset].name, fix=fix)
    for row in with_runs(target.rows):
        sampler = cast("TrainedRun", resolved.run(row, 0)).sampler
        where = f"{resolved.name}, row '{row.name}'"
        if sampler.source is None:
            what = f"sampler '{sampler.preset}' draws from no candidates, so that they have no chances"
            raise UserError(what, where=where, fix="use a sampler with a source of candidates")
        if target.ranks > sampler.draws[0]:
            what = f"{target.ranks} ranks, and only {sampler.draws[0]} candidates"
            raise UserError(what, where=where, fix=f"set `ranks` to at most {sampler.draws[0]}")


def measure_distributions(stages: Stages, resolved: Resolved, run: FinishedRun) -> None:
    """Work out the distributions of a finished run, once."""
    work_out(stages, cast("TrainedRun", run.settings), run.folder, _examples(resolved))


def build_distributions(context: ReportContext) -> DistributionsCells:
    """Return the content of cells.json, which depends on the runs only."""
    resolved = context.resolved
    target = cast("Distributions", resolved.target)
    content = {
        **describe_target(context, [column.model_dump() for column in resolved.columns]),
        "ranks": target.ranks,
        "rows": [
            _row(resolved, row, context.runs_of(row.name), context.failed) for row in with_runs(target.rows)
        ],
    }
    return DistributionsCells.model_validate(content)


def frame_of_examples(cells: DistributionsCells) -> pd.DataFrame:
    """Return all examples as a frame: row, seed, query, positive, rank, gap, first, inclusion."""
    lines = [
        {"row": row.name, "seed": of.seed, "query": of.query, "positive": of.positive, "rank": rank}
        | {"gap": gap, "first": first, "inclusion": inclusion}
        for row in cells.rows
        for of in row.examples
        for rank, (gap, first, inclusion) in enumerate(
            zip(of.gap, of.first, of.inclusion, strict=True), start=1
        )
    ]
    return pd.DataFrame(lines)


def _examples(resolved: Resolved) -> ExampleSettings:
    target = cast("Distributions", resolved.target)
    return ExampleSettings(target.ranks, target.queries)


def _row(resolved: Resolved, row: Row, runs: Sequence[FinishedRun], failed: Mapping[str, str]) -> Described:
    candidates, negatives = cast("TrainedRun", resolved.run(row, 0)).sampler.draws
    made = [] if row.name in failed else runs
    return {
        "name": row.name,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe if runs else None,
        "sampler": runs[0].settings.preset if runs else None,
        "summary": row.summary,
        **describe_made(runs),
        "candidates": candidates,
        "negatives": negatives,
        "examples": [of for run in made for of in _of_run(run, _examples(resolved))],
        "reason": failed.get(row.name),
    }


def _of_run(run: FinishedRun, examples: ExampleSettings) -> list[dict[str, Any]]:
    """Return the examples of a run, as its folder keeps them."""
    frame = read_examples(run.folder, examples)
    return [
        {"seed": run.seed, "query": query, "positive": positive}
        | {key: of.sort_values("rank")[key].tolist() for key in ("gap", "first", "inclusion")}
        for (query, positive), of in frame.groupby(["query", "positive"], sort=False)
    ]
