"""The report of each kind of target; a new kind is a package beside these and an entry here."""

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
from harness.reports.calibration.table import calibration_document
from harness.reports.calibration.tidy import render_calibration_csv
from harness.reports.cells import Cells, FinishedRun, primary_scores
from harness.reports.comparison.cells import build_comparison, comparison_scores
from harness.reports.comparison.figure import draw_comparison
from harness.reports.comparison.table import comparison_document
from harness.reports.comparison.tidy import render_csv
from harness.reports.document import Document
from harness.reports.readings.cells import build_readings
from harness.reports.readings.figure import draw_readings
from harness.reports.readings.table import readings_document
from harness.reports.readings.tidy import render_readings_csv
from harness.specs.resolve import Resolved


@dataclass(frozen=True)
class Report:
    """How a kind of target is reported.

    Attributes:
        scores: which per-query scores its results keep, of all that were measured.
        build: makes the content of cells.json from the runs, the rows that failed and why, and these scores.
        document: cells -> what all texts of the report say.
        csv: cells -> table.csv.
        draw: writes figure.svg and figure.png from cells.
    """

    scores: Callable[[Resolved, pd.DataFrame], pd.DataFrame]
    build: Callable[[Resolved, Sequence[FinishedRun], Mapping[str, str], pd.DataFrame, Collection], Cells]
    document: Callable[[Cells], Document]
    csv: Callable[[Cells], str]
    draw: Callable[[Cells, Path, Path], None]


REPORTS = {
    "comparison": Report(
        comparison_scores, build_comparison, comparison_document, render_csv, draw_comparison
    ),
    "readings": Report(primary_scores, build_readings, readings_document, render_readings_csv, draw_readings),
    "calibration": Report(
        primary_scores, build_calibration, calibration_document, render_calibration_csv, draw_calibration
    ),
}
"""Kind of a target -> its report."""


def report_of(cells: Any, where: Path) -> Report:
    """Return the report for the content of a cells.json.

    Args:
        cells: its content.
        where: the file, for the message.

    Raises:
        UserError: it is of no kind that there is.
    """
    kind = cells.get("kind") if isinstance(cells, dict) else None
    if kind not in REPORTS:
        fix = nearest(str(kind), REPORTS)
        raise UserError(f"results of unknown kind '{kind}'", where=str(where), fix=fix)
    return REPORTS[kind]


def document_of(cells: Cells) -> Document:
    """Return what the report of cells says, whatever their kind."""
    return REPORTS[cells["kind"]].document(cells)
