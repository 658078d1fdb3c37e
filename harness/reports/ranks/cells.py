"""The cells over ranks: each checkpoint's gradients at each rank of the negatives, and what holds of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from pydantic import Field

from harness.collections.collection import Collection
from harness.errors import UserError
from harness.gradients.of_run import RankSettings, measure_run, options_of, read_gradients
from harness.gradients.per_rank import POSITIVES
from harness.reports.cells import Described, FinishedRun, ReportContext, describe_made, describe_target
from harness.reports.content import Content, MadeRow, RunCells
from harness.runs.stages import Stages
from harness.specs.kinds.ranks import LEAST_QUERIES, Ranks
from harness.specs.resolve import Resolved
from harness.specs.run_settings import TrainedRun
from harness.specs.target import Row
from harness.training.batches import labelled_pairs

READING_TITLES = {"norms": "of norms", "vectors": "of vectors"}
"""Reading of mean and variance -> its title in table and figure."""

BANDS = ("value", "low", "high", "relative", "relative_low", "relative_high")


class RankCurve(Content):
    """A statistic at each rank, from 1, with a band of 95 %; relative where divided by its maximum."""

    statistic: str
    value: list[float]
    low: list[float]
    high: list[float]
    relative: list[float]
    relative_low: list[float]
    relative_high: list[float]


class PositiveRank(Content):
    """The mean rank of the positives among the negatives, from 1, with a band of 95 %."""

    value: float
    low: float
    high: float


class RankFinding(Content):
    """A finding of the paper under a reading of mean and variance, with the ratio that decides it.

    Of a mean that cannot be told from none there is no ratio.
    """

    reading: str
    finding: str
    criterion: str
    compared: str
    value: float | None
    low: float | None
    high: float | None
    bound: float
    answer: str


class CheckpointGradients(Content):
    """The gradients of one checkpoint."""

    seed: int
    queries: int
    positives: PositiveRank
    curves: list[RankCurve]
    findings: list[RankFinding]


class RanksRow(MadeRow):
    """The checkpoints of a row, one a seed.

    Attributes:
        reason: why it could not be made.
    """

    checkpoints: list[CheckpointGradients]
    reason: str | None


class RanksCells(RunCells):
    """Gradients of each row at each rank of its negatives, on the queries of a split.

    Attributes:
        options: all that the measurement depends on beside the runs, and the version of the estimates.
    """

    split: str
    ranks: int
    options: dict[str, str | int | None] = Field(default={})
    rows: list[RanksRow]


def check_ranks(resolved: Resolved, collections: Mapping[str, Collection]) -> None:
    """Check that a collection has enough documents and queries, before anything is trained on it.

    Raises:
        UserError: more ranks than documents, or too few queries with a labelled positive.
    """
    target = cast("Ranks", resolved.target)
    collection = collections[target.dataset]
    pairs = labelled_pairs(collection, target.split)
    queries, at_query = np.unique(pairs.pairs[:, 0], return_counts=True)
    if len(queries) < LEAST_QUERIES:
        what = f"{len(queries)} {target.split} queries have a labelled positive; bands need {LEAST_QUERIES}"
        raise UserError(
            what, where=collection.name, fix=f"label more, or use another `split` in {resolved.name}"
        )
    most = len(collection.documents) - int(at_query.max())
    if target.ranks > most:
        what = f"{target.ranks} ranks, and only {most} documents beside a query's positives"
        raise UserError(what, where=collection.name, fix=f"set `ranks` in {resolved.name} to at most {most}")


def measure_ranks(stages: Stages, resolved: Resolved, run: FinishedRun) -> None:
    """Measure the gradients of a finished run, once."""
    measure_run(stages, cast("TrainedRun", run.settings), run.folder, _measured(resolved))


def build_ranks(context: ReportContext) -> RanksCells:
    """Return the content of cells.json, which depends on the runs only."""
    resolved = context.resolved
    target = cast("Ranks", resolved.target)
    content = {
        **describe_target(context, [column.model_dump() for column in resolved.columns]),
        "split": target.split,
        "ranks": target.ranks,
        "options": options_of(_measured(resolved)),
        "rows": [_row(resolved, row, context.runs_of(row.name), context.failed) for row in target.rows],
    }
    return RanksCells.model_validate(content)


def frame_of_cells(cells: RanksCells) -> pd.DataFrame:
    """Return all curves as a frame: row, seed, statistic, rank, and what `RankCurve` has."""
    return pd.DataFrame([line for row in cells.rows for of in row.checkpoints for line in _lines(row, of)])


def _lines(row: RanksRow, checkpoint: CheckpointGradients) -> list[dict[str, Any]]:
    about = {"row": row.name, "seed": checkpoint.seed}
    lines = [
        {**about, "statistic": curve.statistic, "rank": rank, **dict(zip(BANDS, at_rank, strict=True))}
        for curve in checkpoint.curves
        for rank, *at_rank in zip(itertools.count(1), *(getattr(curve, key) for key in BANDS), strict=False)
    ]
    return [*lines, {**about, "statistic": POSITIVES, **checkpoint.positives.model_dump()}]


def _measured(resolved: Resolved) -> RankSettings:
    target = cast("Ranks", resolved.target)
    at_most = [count for count in (target.queries, resolved.scale.spec.gradient_queries) if count is not None]
    return RankSettings(target.split, target.ranks, min(at_most, default=None))


def _row(resolved: Resolved, row: Row, runs: Sequence[FinishedRun], failed: Mapping[str, str]) -> Described:
    return {
        "name": row.name,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe if runs else None,
        "sampler": runs[0].settings.preset if runs else None,
        "summary": row.summary,
        **describe_made(runs),
        "checkpoints": [] if row.name in failed else [_checkpoint(run, _measured(resolved)) for run in runs],
        "reason": failed.get(row.name),
    }


def _checkpoint(run: FinishedRun, measured: RankSettings) -> Described:
    frame, findings = read_gradients(run.folder, measured)
    curves = frame[frame["statistic"] != POSITIVES]
    positives = frame[frame["statistic"] == POSITIVES].iloc[0]
    return {
        "seed": run.seed,
        "queries": int(frame["queries"].iloc[0]),
        "positives": {key: float(positives[key]) for key in ("value", "low", "high")},
        "curves": [
            {"statistic": str(name), **{key: of.sort_values("rank")[key].tolist() for key in BANDS}}
            for name, of in curves.groupby("statistic", sort=False)
        ],
        "findings": [
            {key: None if value != value else value for key, value in line.items()}  # noqa: PLR0124  (NaN)
            for line in findings.drop(columns="retriever").to_dict("records")
        ],
    }
