"""The cells of learning curves: each row at each step with a dev evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import pandas as pd

from harness.collections.collection import Collection
from harness.evaluation.comparison import score_table
from harness.evaluation.curves import DevPoint, mean_curve, run_curve
from harness.reports.cells import FinishedRun, describe_target, refuse_failed_rows
from harness.reports.cost.recorded import hardware_of
from harness.reports.text import Cells
from harness.specs.kinds.curve import Curve
from harness.specs.resolve import Resolved
from harness.specs.run_settings import TrainedRun
from harness.specs.target import Row

PHASE = "continued"


def build_curve(
    resolved: Resolved,
    runs: Sequence[FinishedRun],
    failed: Mapping[str, str],
    per_query: pd.DataFrame,
    collection: Collection,
) -> Cells:
    """Return the content of cells.json, which depends on the runs only.

    Raises:
        RunError: a row failed.
    """
    refuse_failed_rows(failed)
    target, column = cast("Curve", resolved.target), resolved.primary.model_dump()
    begin = final_values(per_query, target.compared_with, column)
    trained = [run for run in runs if run.row != target.compared_with]
    rows = []
    for row in target.rows:
        row_runs = [run for run in trained if run.row == row.name]
        if row_runs:
            final = final_values(per_query, row.name, column)
            watched = [_watched(run, column["measure"], begin[run.seed], final[run.seed]) for run in row_runs]
            rows.append(_row(row, row_runs, mean_curve(watched, target.level)))
    return {
        **describe_target(resolved, runs, [column], {resolved.dataset: collection}),
        "begin": {"name": target.compared_with, "per_seed": list(begin.values())},
        "hardware": hardware_of(trained),
        "rows": rows,
    }


def final_values(per_query: pd.DataFrame, row: str, column: Cells) -> dict[int, float]:
    """Return the mean over queries of a row's finished runs, for each seed."""
    table = score_table(per_query, row, column)
    seeds, means = table.index.to_numpy(), table.to_numpy(dtype=float).mean(axis=1)
    return {int(seed): float(value) for seed, value in zip(seeds, means, strict=True)}


def _watched(run: FinishedRun, measure: str, begin: float, final: float) -> dict[int, DevPoint]:
    steps = run.settings.phase.steps if isinstance(run.settings, TrainedRun) else 0
    return run_curve(run.folder.metrics(), PHASE, measure, begin=begin, end=(steps, final))


def _row(row: Row, runs: Sequence[FinishedRun], points: list[Cells]) -> Cells:
    return {
        "name": row.name,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe,
        "sampler": runs[0].settings.preset,
        "summary": row.summary,
        "fingerprints": [run.folder.folder.name for run in runs],
        "points": points,
    }
