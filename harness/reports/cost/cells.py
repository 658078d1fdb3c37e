"""The cells of costs: rows by columns of seconds, and their ratios to the baseline."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from harness.evaluation.costs import COSTS, against_itself, over_runs
from harness.reports.cells import Described, ReportContext, describe_made, describe_target
from harness.reports.content import Content, Machine, MadeRow, RunCells, Seconds, SecondsCell, SecondsColumn
from harness.reports.cost.recorded import cost_cells, costs_of, hardware_of, told_apart
from harness.specs.kinds.cost import Cost
from harness.specs.resolve import figures
from harness.specs.run_settings import TrainedRun
from harness.specs.target import Row


class RatioCell(SecondsCell):
    """Seconds, and their ratios to those of the baseline."""

    ratio: float | None
    published_ratio: float | None


class ItselfCell(Content):
    """The ratio of one half of the baseline's runs to the other, with an interval of 95 %."""

    ratio: float
    low: float
    high: float


class CostRow(MadeRow):
    """What training with a row costs: all costs that were recorded, by name, and those of the columns.

    Attributes:
        reason: why it could not be made.
    """

    costs: dict[str, Seconds]
    cells: list[RatioCell]
    reason: str | None


class CostCells(RunCells):
    """Rows by columns of seconds, beside a baseline; refresh in steps, batch in queries.

    Attributes:
        against_itself: of each column, what ratio chance and machine alone give; None of one with too few
            runs. Older cells do not have it.
    """

    baseline: str
    costs: list[SecondsColumn]
    refresh: int | None
    batch: int | None
    hardware: list[Machine]
    against_itself: list[ItselfCell | None] | None = None
    rows: list[CostRow]

    @property
    def told_apart(self) -> bool | None:
        """Whether similarities of documents are told apart from mining; None where nothing was mined."""
        mined = [row.costs for row in self.rows if "mining" in row.costs]
        return all("similarity" in costs for costs in mined) if mined else None


def build_cost(context: ReportContext) -> CostCells:
    """Return the content of cells.json, which depends on the runs only.

    Raises:
        UserError: a run has no recorded times.
    """
    resolved, runs = context.resolved, context.runs
    target = cast("Cost", resolved.target)
    apart = told_apart(runs)
    rows = [_row(context, target, row, apart) for row in target.rows]
    baseline = next(row for row in rows if row["name"] == target.baseline)
    for row in rows:
        for cell, other in zip(row["cells"], baseline["cells"], strict=True):
            cell["ratio"] = _ratio(cell["reproduced"], other["reproduced"], "median")
            cell["published_ratio"] = _ratio(cell["published"], other["published"], "value")
    phases = [run.settings.phase for run in runs if isinstance(run.settings, TrainedRun)]
    columns = [column.model_dump() for column in resolved.columns]
    content = {
        **describe_target(context, columns),
        "baseline": target.baseline,
        "costs": [column.model_dump() for column in target.columns],
        "refresh": phases[0].refresh if phases else None,
        "batch": phases[0].batch if phases else None,
        "hardware": hardware_of(runs),
        "against_itself": [_against_itself(cell["reproduced"]) for cell in baseline["cells"]],
        "rows": rows,
    }
    return CostCells.model_validate(content)


def _row(context: ReportContext, target: Cost, row: Row, apart: bool) -> Described:
    runs, failed = context.runs_of(row.name), context.failed
    recorded = costs_of(runs, apart=apart)
    return {
        "name": row.name,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe if runs else None,
        "sampler": runs[0].settings.preset if runs else None,
        "summary": row.summary,
        **describe_made(runs),
        "costs": {
            name: over_runs([costs[name] for costs in recorded])
            for name in COSTS
            if recorded and all(name in costs for costs in recorded)
        },
        "cells": cost_cells(
            target.columns, recorded, figures(context.resolved.loaded, row), failed=row.name in failed
        ),
        "reason": failed.get(row.name),
    }


def _against_itself(seconds: Described | None) -> Described | None:
    found = against_itself(seconds["per_run"]) if seconds else None
    return asdict(found) if found else None


def _ratio(cell: Described | None, other: Described | None, key: str) -> float | None:
    return cell[key] / other[key] if cell and other and other[key] else None
