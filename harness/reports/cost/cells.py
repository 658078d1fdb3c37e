"""The cells of costs: rows by columns of seconds, and their ratios to the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import pandas as pd

from harness.collections.collection import Collection
from harness.evaluation.costs import COSTS, over_runs
from harness.reports.cells import FinishedRun, describe_target
from harness.reports.cost.recorded import cost_cells, costs_of, hardware_of
from harness.reports.text import Cells
from harness.specs.kinds.cost import Cost
from harness.specs.resolve import Resolved, figures
from harness.specs.run_settings import TrainedRun
from harness.specs.target import Row


def build_cost(
    resolved: Resolved,
    runs: Sequence[FinishedRun],
    failed: Mapping[str, str],
    per_query: pd.DataFrame,
    collection: Collection,
) -> Cells:
    """Return the content of cells.json, which depends on the runs only.

    Raises:
        UserError: a run has no recorded times.
    """
    target = cast("Cost", resolved.target)
    rows = [
        _row(resolved, target, row, [run for run in runs if run.row == row.name], failed)
        for row in target.rows
    ]
    baseline = next(row for row in rows if row["name"] == target.baseline)
    for row in rows:
        for cell, other in zip(row["cells"], baseline["cells"], strict=True):
            cell["ratio"] = _ratio(cell["reproduced"], other["reproduced"], "median")
            cell["published_ratio"] = _ratio(cell["published"], other["published"], "value")
    phases = [run.settings.phase for run in runs if isinstance(run.settings, TrainedRun)]
    columns = [column.model_dump() for column in resolved.columns]
    return {
        **describe_target(resolved, runs, columns, {resolved.dataset: collection}),
        "baseline": target.baseline,
        "costs": [column.model_dump() for column in target.columns],
        "refresh": phases[0].refresh if phases else None,
        "batch": phases[0].batch if phases else None,
        "hardware": hardware_of(runs),
        "rows": rows,
    }


def _row(
    resolved: Resolved, target: Cost, row: Row, runs: Sequence[FinishedRun], failed: Mapping[str, str]
) -> Cells:
    recorded = costs_of(runs)
    return {
        "name": row.name,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe if runs else None,
        "sampler": runs[0].settings.preset if runs else None,
        "summary": row.summary,
        "fingerprints": [run.folder.folder.name for run in runs],
        "costs": {
            name: over_runs([costs[name] for costs in recorded])
            for name in COSTS
            if recorded and all(name in costs for costs in recorded)
        },
        "cells": cost_cells(
            target.columns, recorded, figures(resolved.loaded, row), failed=row.name in failed
        ),
        "reason": failed.get(row.name),
    }


def _ratio(cell: Cells | None, other: Cells | None, key: str) -> float | None:
    return cell[key] / other[key] if cell and other and other[key] else None
