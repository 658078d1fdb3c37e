"""The report of each kind of target; a new kind is a package beside this file and an entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from harness.collections.collection import Collection
from harness.errors import UserError, nearest
from harness.reports.calibration.cells import CalibrationCells, build_calibration
from harness.reports.calibration.figure import draw_calibration
from harness.reports.calibration.table import calibration_document, render_calibration_csv
from harness.reports.cells import FinishedRun, ReportContext, primary_scores
from harness.reports.comparison.cells import build_comparison, comparison_scores
from harness.reports.comparison.content import ComparisonCells
from harness.reports.comparison.figure import draw_comparison
from harness.reports.comparison.table import comparison_document, render_csv
from harness.reports.content import VERSION, Cells, OwnTable
from harness.reports.cost.cells import CostCells, build_cost
from harness.reports.cost.figure import draw_cost
from harness.reports.cost.table import cost_document, render_cost_csv
from harness.reports.curve.cells import CurveCells, build_curve
from harness.reports.curve.figure import draw_curve
from harness.reports.curve.table import curve_document, render_curve_csv
from harness.reports.distributions.cells import (
    DistributionsCells,
    build_distributions,
    check_distributions,
    measure_distributions,
)
from harness.reports.distributions.figure import draw_distributions
from harness.reports.distributions.table import distributions_document, render_distributions_csv
from harness.reports.document import Document
from harness.reports.ranks.cells import RanksCells, build_ranks, check_ranks, measure_ranks
from harness.reports.ranks.figure import draw_ranks
from harness.reports.ranks.table import ranks_document, render_ranks_csv
from harness.reports.readings.cells import ReadingsCells, build_readings
from harness.reports.readings.figure import draw_readings
from harness.reports.readings.table import readings_document, render_readings_csv
from harness.reports.statistics.cells import StatisticsCells, build_statistics, no_scores
from harness.reports.statistics.figure import draw_statistics
from harness.reports.statistics.table import render_statistics_csv, statistics_document
from harness.reports.sweep.cells import SweepCells, build_sweep, swept_scores
from harness.reports.sweep.figure import draw_sweep
from harness.reports.sweep.table import render_sweep_csv, sweep_document
from harness.runs.stages import Stages
from harness.specs.resolve import Resolved
from harness.storage.files import read_json


@dataclass(frozen=True)
class Report:
    """How a kind of target is reported; what takes cells takes those of its model.

    Attributes:
        cells: the model of its cells.json.
        scores: selects the per-query scores that per_query.parquet keeps.
        build: builds the cells.
        document: returns the report.
        csv: returns the text of table.csv.
        draw: writes figure.svg and figure.png.
        check: raises an error if the collections do not suffice, before anything is trained.
        measure: measures what cells need of a finished run beyond its evaluation, and keeps it in its folder.
    """

    cells: type[Cells]
    scores: Callable[[Resolved, pd.DataFrame], pd.DataFrame]
    build: Callable[[ReportContext], Cells]
    document: Callable[[Any], Document]
    csv: Callable[[Any], str]
    draw: Callable[[Any, Path, Path], None]
    check: Callable[[Resolved, Mapping[str, Collection]], None] = lambda resolved, collections: None
    measure: Callable[[Stages, Resolved, FinishedRun], None] = lambda stages, resolved, run: None


COMPARISON = Report(
    ComparisonCells, comparison_scores, build_comparison, comparison_document, render_csv, draw_comparison
)

REPORTS = {
    "comparison": COMPARISON,
    "confirmation": COMPARISON,
    "readings": Report(
        ReadingsCells, primary_scores, build_readings, readings_document, render_readings_csv, draw_readings
    ),
    "calibration": Report(
        CalibrationCells,
        primary_scores,
        build_calibration,
        calibration_document,
        render_calibration_csv,
        draw_calibration,
    ),
    "statistics": Report(
        StatisticsCells,
        no_scores,
        build_statistics,
        statistics_document,
        render_statistics_csv,
        draw_statistics,
    ),
    "cost": Report(CostCells, comparison_scores, build_cost, cost_document, render_cost_csv, draw_cost),
    "curve": Report(CurveCells, primary_scores, build_curve, curve_document, render_curve_csv, draw_curve),
    "ranks": Report(
        RanksCells,
        comparison_scores,
        build_ranks,
        ranks_document,
        render_ranks_csv,
        draw_ranks,
        check_ranks,
        measure_ranks,
    ),
    "distributions": Report(
        DistributionsCells,
        comparison_scores,
        build_distributions,
        distributions_document,
        render_distributions_csv,
        draw_distributions,
        check_distributions,
        measure_distributions,
    ),
    "sweep": Report(SweepCells, swept_scores, build_sweep, sweep_document, render_sweep_csv, draw_sweep),
}
"""Kind of target -> its report."""


def read_cells(path: Path) -> Cells:
    """Return the content of a cells.json of any kind; the one place that reads such files.

    Raises:
        UserError: the file is missing, corrupt, of another version of the harness, or of an unknown kind.
    """
    return parse_cells(read_json(path), str(path))


def parse_cells(content: Any, where: str) -> Cells:
    """Return cells from the content of their file; `where` is its place, for error messages.

    Raises:
        UserError: they are of another version of the harness, or of an unknown kind.
    """
    content = content if isinstance(content, dict) else {}
    if content.get("version") != VERSION:
        what = f"results of version {content.get('version', 0)}, this harness reads version {VERSION}"
        raise UserError(what, where=where, fix=_made_again(content))
    kind = str(content.get("kind"))
    if kind not in REPORTS:
        raise UserError(f"results of unknown kind '{kind}'", where=where, fix=nearest(kind, REPORTS))
    try:
        return REPORTS[kind].cells.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        what = f"results of another version of the harness ({key}: {first['msg']})"
        raise UserError(what, where=where, fix=_made_again(content)) from error


def _made_again(content: dict[str, Any]) -> str:
    """Return which command makes results again; it finds the runs in the store where they are there."""
    kind, target, scale = (str(content.get(key, key.upper())) for key in ("kind", "target", "scale"))
    own = None
    with suppress(ValidationError):
        own = OwnTable.model_validate(content["own"]) if "own" in content else None
    call = reproduce_call(kind, target, scale, own)
    return f"make them again: `{call}`{'' if own else ', with --publish if they are committed'}"


def reproduce_call(kind: str, target: str, scale: str, own: OwnTable | None = None) -> str:
    """Return the command that reproduces a target; what a tuning wrote is named by its path."""
    if kind == "confirmation":
        root = f"results/local/{own.place}" if own else "results"
        target = f"{root}/{scale}/{target.removesuffix('/confirmation')}/target.yaml"
    return f"harness reproduce {target} --scale {scale}{own.options if own else ''}"


def document_of(cells: Cells) -> Document:
    """Return the report for cells of any kind."""
    return REPORTS[cells.kind].document(cells)
