"""The report of each kind of target; a new kind is a package beside this file and an entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from harness.collections.collection import Collection
from harness.errors import UserError, nearest
from harness.reports.calibration.cells import build_calibration
from harness.reports.calibration.figure import draw_calibration
from harness.reports.calibration.table import calibration_document, render_calibration_csv
from harness.reports.cells import FinishedRun, primary_scores
from harness.reports.comparison.cells import build_comparison, comparison_scores
from harness.reports.comparison.figure import draw_comparison
from harness.reports.comparison.table import comparison_document, render_csv
from harness.reports.cost.cells import build_cost
from harness.reports.cost.figure import draw_cost
from harness.reports.cost.table import cost_document, render_cost_csv
from harness.reports.curve.cells import build_curve
from harness.reports.curve.figure import draw_curve
from harness.reports.curve.table import curve_document, render_curve_csv
from harness.reports.document import Document
from harness.reports.readings.cells import build_readings
from harness.reports.readings.figure import draw_readings
from harness.reports.readings.table import readings_document, render_readings_csv
from harness.reports.statistics.cells import build_statistics, no_scores
from harness.reports.statistics.figure import draw_statistics
from harness.reports.statistics.table import render_statistics_csv, statistics_document
from harness.reports.sweep.cells import build_sweep, swept_scores
from harness.reports.sweep.figure import draw_sweep
from harness.reports.sweep.table import render_sweep_csv, sweep_document
from harness.reports.text import Cells
from harness.specs.resolve import Resolved

Failed = Mapping[str, str]
BuildOnOne = Callable[[Resolved, Sequence[FinishedRun], Failed, pd.DataFrame, Collection], Cells]
BuildOnAll = Callable[
    [Resolved, Sequence[FinishedRun], Failed, pd.DataFrame, Mapping[str, Collection]], Cells
]
"""Builds cells from the runs, their scores, and the collections of all datasets of a target."""


@dataclass(frozen=True)
class Report:
    """The functions that report a kind of target.

    Attributes:
        scores: selects the per-query scores that per_query.parquet keeps.
        build: builds the content of cells.json from the runs, the failed rows with their reasons, the scores
            of the runs, and dataset -> collection.
        document: returns the report for the content of cells.json.
        csv: returns the text of table.csv for the content of cells.json.
        draw: writes figure.svg and figure.png for the content of cells.json.
    """

    scores: Callable[[Resolved, pd.DataFrame], pd.DataFrame]
    build: BuildOnAll
    document: Callable[[Cells], Document]
    csv: Callable[[Cells], str]
    draw: Callable[[Cells, Path, Path], None]


def _on_one_dataset(build: BuildOnOne) -> BuildOnAll:
    """Adapt a function that builds cells on one collection to all collections of a target."""

    def build_on_all(
        resolved: Resolved,
        runs: Sequence[FinishedRun],
        failed: Failed,
        scores: pd.DataFrame,
        collections: Mapping[str, Collection],
    ) -> Cells:
        return build(resolved, runs, failed, scores, collections[resolved.dataset])

    return build_on_all


COMPARISON = Report(comparison_scores, build_comparison, comparison_document, render_csv, draw_comparison)

REPORTS = {
    "comparison": COMPARISON,
    "confirmation": COMPARISON,
    "readings": Report(
        primary_scores, _on_one_dataset(build_readings), readings_document, render_readings_csv, draw_readings
    ),
    "calibration": Report(
        primary_scores,
        _on_one_dataset(build_calibration),
        calibration_document,
        render_calibration_csv,
        draw_calibration,
    ),
    "statistics": Report(
        no_scores, build_statistics, statistics_document, render_statistics_csv, draw_statistics
    ),
    "cost": Report(comparison_scores, _on_one_dataset(build_cost), cost_document, render_cost_csv, draw_cost),
    "curve": Report(
        primary_scores, _on_one_dataset(build_curve), curve_document, render_curve_csv, draw_curve
    ),
    "sweep": Report(swept_scores, _on_one_dataset(build_sweep), sweep_document, render_sweep_csv, draw_sweep),
}
"""Kind of target -> its report."""


def report_of(cells: Any, where: Path) -> Report:
    """Return the report of the kind that a cells.json is of.

    Args:
        cells: content of the file, not yet checked.
        where: path of the file, for error messages.

    Raises:
        UserError: the kind is unknown.
    """
    kind = cells.get("kind") if isinstance(cells, dict) else None
    if kind not in REPORTS:
        fix = nearest(str(kind), REPORTS)
        raise UserError(f"results of unknown kind '{kind}'", where=str(where), fix=fix)
    return REPORTS[kind]


def document_of(cells: Cells) -> Document:
    """Return the report for the content of a cells.json of any kind."""
    return REPORTS[cells["kind"]].document(cells)
