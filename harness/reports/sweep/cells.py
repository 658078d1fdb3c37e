"""The cells of a sweep: each row at each value of the parameter, published and reproduced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import pandas as pd

from harness.collections.collection import Collection
from harness.evaluation.comparison import reproduced
from harness.reports.cells import FinishedRun, describe_target, refuse_failed_rows
from harness.reports.cost.recorded import cost_cells, costs_of, hardware_of
from harness.reports.text import Cells, Style, column_style
from harness.specs.kinds.sweep import Point, Sweep
from harness.specs.resolve import Resolved, figures
from harness.specs.sampler_paths import short_names


def swept_scores(resolved: Resolved, per_query: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of the printed columns only, which keeps the file of many points small."""
    measures, splits = ({getattr(c, key) for c in resolved.printed} for key in ("measure", "split"))
    return per_query[per_query["measure"].isin(measures) & per_query["split"].isin(splits)]


def build_sweep(
    resolved: Resolved,
    runs: Sequence[FinishedRun],
    failed: Mapping[str, str],
    per_query: pd.DataFrame,
    collection: Collection,
) -> Cells:
    """Return the content of cells.json, which depends on the runs only.

    Raises:
        RunError: a point failed; its gap in the line would not be visible.
    """
    refuse_failed_rows(failed)
    target = cast("Sweep", resolved.target)
    columns = [column.model_dump() for column in resolved.printed]
    points = [row for row in target.rows if isinstance(row, Point)]
    runs_by_row = {row.name: [run for run in runs if run.row == row.name] for row in points}
    timed = [run for run in runs if target.costs]
    return {
        **describe_target(resolved, runs, columns, {resolved.dataset: collection}),
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
                "cells": _cells(resolved, row, per_query, columns),
                "costs": _costs(resolved, row, runs_by_row[row.name]),
            }
            for row in points
        ],
    }


def _point(row: Point, runs: Sequence[FinishedRun]) -> Cells:
    return {
        "row": row.written,
        "name": row.name,
        "at": row.at,
        "recipe": runs[0].settings.recipe if runs else None,
        "sampler": runs[0].settings.preset if runs else None,
        "fingerprints": [run.folder.folder.name for run in runs],
    }


def _cells(resolved: Resolved, row: Point, per_query: pd.DataFrame, columns: Sequence[Cells]) -> list[Cells]:
    level, printed = cast("Sweep", resolved.target).level, figures(resolved.loaded, row)
    cells: list[Cells] = []
    for column in columns:
        block, figure = reproduced(per_query, row.name, column, level), printed[column["label"]]
        state = "ok" if block else "published-only" if row.kind == "published" else "missing"
        cells.append({"state": state, "published": figure, "reproduced": block})
    return cells


def _costs(resolved: Resolved, row: Point, runs: Sequence[FinishedRun]) -> list[Cells]:
    costs = cast("Sweep", resolved.target).costs
    return cost_cells(costs, costs_of(runs), figures(resolved.loaded, row)) if costs else []


def points_of(cells: Cells, row: str) -> list[Mapping[str, Any]]:
    """Return the points of a row, in the order of the parameter's values."""
    return [point for point in cells["points"] if point["row"] == row]


def style_of(cells: Cells, position: int) -> Style:
    """Return the number style of a column."""
    return column_style({**cells, "rows": cells["points"]}, position)


def shown_interval(cells: Cells) -> Literal["method", "checkpoints"]:
    """Return the kind of interval to show: the method's with several seeds, else the checkpoints'."""
    return "method" if len(cells["seeds"]) > 1 else "checkpoints"
