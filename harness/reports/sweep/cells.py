"""The cells of a sweep: each row at each value of the parameter, published and reproduced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pandas as pd

from harness.evaluation.comparison import reproduced
from harness.reports.cells import (
    Described,
    FinishedRun,
    ReportContext,
    describe_made,
    describe_target,
    refuse_failed_rows,
)
from harness.reports.content import (
    Content,
    IntervalKind,
    Machine,
    MeasuredCell,
    MeasuredCells,
    NamedRow,
    SecondsCell,
    SecondsColumn,
)
from harness.reports.cost.recorded import cost_cells, costs_of, hardware_of, told_apart
from harness.reports.text import Style, column_style
from harness.specs.kinds.sweep import Point, Sweep
from harness.specs.resolve import Resolved, figures
from harness.specs.sampler_paths import short_names


class SweptPoint(Content):
    """A row at a value of the parameter: measures, then seconds where the sweep has costs."""

    row: str
    name: str
    at: bool | int | float | str
    recipe: str | None
    sampler: str | None
    fingerprints: list[str]
    filled: float | None = None
    cells: list[MeasuredCell]
    costs: list[SecondsCell]


class SweepCells(MeasuredCells):
    """Each row at each value of the parameter, published and reproduced."""

    parameter: str
    costs: list[SecondsColumn]
    hardware: list[Machine]
    rows: list[NamedRow]
    points: list[SweptPoint]


def swept_scores(resolved: Resolved, per_query: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of the printed columns only, which keeps the file of many points small."""
    measures, splits = ({getattr(c, key) for c in resolved.printed} for key in ("measure", "split"))
    return per_query[per_query["measure"].isin(measures) & per_query["split"].isin(splits)]


def build_sweep(context: ReportContext) -> SweepCells:
    """Return the content of cells.json, which depends on the runs only.

    Raises:
        RunError: a point failed; its gap in the line would not be visible.
    """
    refuse_failed_rows(context.failed)
    resolved, runs = context.resolved, context.runs
    target = cast("Sweep", resolved.target)
    columns = [column.model_dump() for column in resolved.printed]
    points = [row for row in target.rows if isinstance(row, Point)]
    runs_by_row = {row.name: context.runs_of(row.name) for row in points}
    timed = [run for run in runs if target.costs]
    apart = told_apart(timed)
    content = {
        **describe_target(context, columns),
        "costs": [column.model_dump() for column in target.costs],
        "hardware": hardware_of(timed),
        "parameter": short_names([target.parameter])[target.parameter],
        "rows": [
            {"name": row.written, "kind": row.kind, "summary": row.summary}
            for row in {row.written: row for row in points}.values()
        ],
        "points": [
            {
                **_point(row, runs_by_row[row.name]),
                "cells": _cells(resolved, row, context.per_query, columns),
                "costs": _costs(resolved, row, runs_by_row[row.name], apart),
            }
            for row in points
        ],
    }
    return SweepCells.model_validate(content)


def _point(row: Point, runs: Sequence[FinishedRun]) -> Described:
    return {
        "row": row.written,
        "name": row.name,
        "at": row.at,
        "recipe": runs[0].settings.recipe if runs else None,
        "sampler": runs[0].settings.preset if runs else None,
        **describe_made(runs),
    }


def _cells(
    resolved: Resolved, row: Point, per_query: pd.DataFrame, columns: Sequence[Described]
) -> list[Described]:
    level, printed = cast("Sweep", resolved.target).level, figures(resolved.loaded, row)
    cells: list[Described] = []
    for column in columns:
        block, figure = reproduced(per_query, row.name, column, level), printed[column["label"]]
        state = "ok" if block else "published-only" if row.kind == "published" else "missing"
        cells.append({"state": state, "published": figure, "reproduced": block})
    return cells


def _costs(resolved: Resolved, row: Point, runs: Sequence[FinishedRun], apart: bool) -> list[Described]:
    costs = cast("Sweep", resolved.target).costs
    if not costs:
        return []
    return cost_cells(costs, costs_of(runs, apart=apart), figures(resolved.loaded, row))


def points_of(cells: SweepCells, row: str) -> list[SweptPoint]:
    """Return the points of a row, in the order of the parameter's values."""
    return [point for point in cells.points if point.row == row]


def style_of(cells: SweepCells, position: int) -> Style:
    """Return the number style of a column."""
    return column_style(cells.unit, cells.points, position)


def shown_interval(cells: SweepCells) -> IntervalKind:
    """Return the kind of interval to show: the method's with several seeds, else the checkpoints'."""
    return "method" if len(cells.seeds) > 1 else "checkpoints"
