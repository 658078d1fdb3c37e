"""The cells of learning curves: each row at each step with a dev evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pandas as pd

from harness.evaluation.curves import DevPoint, mean_curve, run_curve, watched_name
from harness.evaluation.score_tables import score_table
from harness.reports.cells import (
    Described,
    FinishedRun,
    ReportContext,
    describe_made,
    describe_target,
    refuse_failed_rows,
)
from harness.reports.content import Content, Ends, Machine, MadeRow, MeasuredCells
from harness.reports.cost.recorded import hardware_of
from harness.specs.kinds.curve import Curve
from harness.specs.run_settings import TrainedRun
from harness.specs.target import Row

PHASE = "continued"


class Begin(Content):
    """The row where the curves begin, and its values over seeds."""

    name: str
    per_seed: list[float]


class CurvePoint(Ends):
    """A row at a step: the mean over seeds with its interval, as fractions; seconds of training."""

    step: int
    mean: float
    sd: float | None
    per_seed: list[float]
    seconds: float | None
    seconds_per_seed: list[float | int] | None


class CurveRow(MadeRow):
    """A row while it trains."""

    points: list[CurvePoint]


class CurveCells(MeasuredCells):
    """Each row at each step with a dev evaluation."""

    begin: Begin
    hardware: list[Machine]
    rows: list[CurveRow]


def build_curve(context: ReportContext) -> CurveCells:
    """Return the content of cells.json, which depends on the runs only.

    Raises:
        RunError: a row failed.
    """
    refuse_failed_rows(context.failed)
    resolved, per_query = context.resolved, context.per_query
    target, column = cast("Curve", resolved.target), resolved.primary.model_dump()
    trained = [run for run in context.runs if run.row != target.compared_with]
    begin = {} if target.watched else final_values(per_query, target.compared_with, column)
    rows = []
    for row in target.rows:
        row_runs = [run for run in trained if run.row == row.name]
        if row_runs:
            final = {} if target.watched else final_values(per_query, row.name, column)
            measure = column["measure"]
            name = watched_name(target.watched, measure) if target.watched else measure
            watched = [_watched(run, name, begin.get(run.seed), final.get(run.seed)) for run in row_runs]
            begin = begin or {run.seed: of[0].value for run, of in zip(row_runs, watched, strict=True)}
            rows.append(_row(row, row_runs, mean_curve(watched, target.level)))
    content = {
        **describe_target(context, [column]),
        "begin": {"name": target.compared_with, "per_seed": list(begin.values())},
        "hardware": hardware_of(trained),
        "rows": rows,
    }
    return CurveCells.model_validate(content)


def final_values(per_query: pd.DataFrame, row: str, column: Described) -> dict[int, float]:
    """Return the mean over queries of a row's finished runs, for each seed."""
    table = score_table(per_query, row, column)
    seeds, means = table.index.to_numpy(), table.to_numpy(dtype=float).mean(axis=1)
    return {int(seed): float(value) for seed, value in zip(seeds, means, strict=True)}


def _watched(run: FinishedRun, measure: str, begin: float | None, final: float | None) -> dict[int, DevPoint]:
    steps = run.settings.phase.steps if isinstance(run.settings, TrainedRun) else 0
    end = None if final is None else (steps, final)
    return run_curve(run.folder.metrics(), PHASE, measure, begin=begin, end=end)


def _row(row: Row, runs: Sequence[FinishedRun], points: list[Described]) -> Described:
    return {
        "name": row.name,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe,
        "sampler": runs[0].settings.preset,
        "summary": row.summary,
        **describe_made(runs),
        "points": points,
    }
