"""The report of each kind of target; a new kind is a package beside these and an entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import RenderableType

from harness.collections.collection import Collection
from harness.errors import UserError, nearest
from harness.reports.calibration.cells import build_calibration
from harness.reports.calibration.figure import draw_calibration
from harness.reports.calibration.table import render_calibration
from harness.reports.calibration.terminal import render_calibration_terminal
from harness.reports.calibration.tidy import render_calibration_csv
from harness.reports.cells import Cells, FinishedRun, primary_scores
from harness.reports.comparison.cells import build_comparison, comparison_scores
from harness.reports.comparison.figure import draw_comparison
from harness.reports.comparison.table import render_markdown
from harness.reports.comparison.terminal import render_terminal
from harness.reports.comparison.tidy import render_csv
from harness.reports.readings.cells import build_readings
from harness.reports.readings.figure import draw_readings
from harness.reports.readings.table import render_readings
from harness.reports.readings.terminal import render_readings_terminal
from harness.reports.readings.tidy import render_readings_csv
from harness.specs.resolve import Resolved


@dataclass(frozen=True)
class Report:
    """How a kind of target is reported.

    Attributes:
        scores: which per-query scores its results keep, of all that were measured.
        build: makes the content of cells.json from the runs, the rows that failed and why, and these scores.
        markdown: cells -> table.md.
        csv: cells -> table.csv.
        draw: writes figure.svg and figure.png from cells.
        terminal: cells -> what the console shows.
    """

    scores: Callable[[Resolved, pd.DataFrame], pd.DataFrame]
    build: Callable[[Resolved, Sequence[FinishedRun], Mapping[str, str], pd.DataFrame, Collection], Cells]
    markdown: Callable[[Cells], str]
    csv: Callable[[Cells], str]
    draw: Callable[[Cells, Path, Path], None]
    terminal: Callable[[Cells], RenderableType]


REPORTS = {
    "comparison": Report(
        comparison_scores, build_comparison, render_markdown, render_csv, draw_comparison, render_terminal
    ),
    "readings": Report(
        primary_scores,
        build_readings,
        render_readings,
        render_readings_csv,
        draw_readings,
        render_readings_terminal,
    ),
    "calibration": Report(
        primary_scores,
        build_calibration,
        render_calibration,
        render_calibration_csv,
        draw_calibration,
        render_calibration_terminal,
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
