"""The files of a tuning's report, rendered from trials.json alone and reproducible to the byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.reports.document import Document, Figure
from harness.reports.formats import TABLES, write_formats
from harness.reports.pages import Link, Navigation, StandaloneReport
from harness.reports.renderers.csv import render_frame
from harness.reports.renderers.html import render_single
from harness.reports.rendering import render as render_target
from harness.reports.rendering import render_site
from harness.reports.site import CONFIRMATION, REPORT, TUNING, trail
from harness.storage.files import write_text
from harness.tuning.report.contour import draw_contour
from harness.tuning.report.expected_best import draw_expected
from harness.tuning.report.figures import draw_history, draw_slices
from harness.tuning.report.importance import Importances, draw_importance, importance
from harness.tuning.report.pareto import draw_pareto
from harness.tuning.report.result import TRIALS, StudyResult, TrialResult, TuningResult, read_result
from harness.tuning.report.table import tuning_document

FILES = (*TABLES, REPORT, TRIALS)

DRAWN = {
    "history": draw_history,
    "expected_best": draw_expected,
    "slices": draw_slices,
    "contour": draw_contour,
    "pareto": draw_pareto,
}
"""Name of a figure -> its plot function; importances, which the table computes, are drawn separately."""


def render(folder: Path) -> Document:
    """Render table and figures of a tuning, `<scale>/tuning/<name>/`.

    Returns:
        The document, for the console.

    Raises:
        UserError: trials.json is missing, corrupt, or of another state of the harness.
    """
    result = read_result(folder / TRIALS)
    importances = importances_of(result)
    document = tuning_document(result, importances)
    names = [block.name for block in document.blocks if isinstance(block, Figure)]
    for name in {*DRAWN, "importance"} - set(names):
        for ending in ("svg", "png"):
            (folder / f"{name}.{ending}").unlink(missing_ok=True)  # of an earlier state of the trials
    for name in names:
        svg, png = folder / f"{name}.svg", folder / f"{name}.png"
        if name == "importance":
            draw_importance(result, importances, svg, png)
        else:
            DRAWN[name](result, svg, png)
    drawings = {name: (folder / f"{name}.svg").read_text(encoding="utf-8") for name in names}
    command = f"harness tune {result.call}"
    write_formats(document, folder)
    write_text(folder / "table.csv", render_trials_csv(result))
    report = StandaloneReport(document, drawings, FILES, command, _navigation(folder, result.name))
    write_text(folder / REPORT, render_single(report))
    return document


def _navigation(folder: Path, name: str) -> Navigation:
    """Return where a tuning stands in the site, with its confirmation, if there is one."""
    page = f"{CONFIRMATION}/{REPORT}"
    after = Link(CONFIRMATION, page) if (folder / page).exists() else None
    return Navigation(trail("Tunings", TUNING, "../../../"), name, after=after)


def importances_of(result: TuningResult) -> Importances:
    """Return the importances of each study for each objective."""
    return {
        (study.row, place): importance(study, place)
        for study in result.studies
        for place in range(len(result.objectives))
    }


def render_tunings(root: Path) -> Sequence[Path]:
    """Render all tunings below a results root, with their confirmations and the pages that link to them.

    Returns:
        The folders of the tunings.
    """
    folders = sorted(path.parent for path in root.glob(f"*/tuning/*/{TRIALS}"))
    for folder in folders:
        render(folder)
        if (folder / CONFIRMATION / "cells.json").exists():
            render_target(folder / CONFIRMATION)
    render_site(root)
    return folders


def render_trials_csv(result: TuningResult) -> str:
    """Return CSV, one line per trial; a field is empty where the trial has no such parameter or value.

    Measures are fractions, costs seconds; `watched` is the last held-out value during training.
    """
    lines = [_line(result, study, trial) for study in result.studies for trial in study.trials]
    return render_frame(pd.DataFrame(lines))


def _line(result: TuningResult, study: StudyResult, trial: TrialResult) -> dict[str, Any]:
    data, values = result.data, trial.values or (None,) * len(result.objectives)
    return {
        "tuning": result.name,
        "scale": result.scale,
        "collection": data["collection"]["name"],
        "simulation": data["collection"]["simulation"],
        "study": study.row,
        "sampler": study.sampler,
        "trial": trial.number,
        "state": trial.state,
        "papers": trial.first,
        **{of.name: value for of, value in zip(result.objectives, values, strict=True)},
        "watched": trial.watched,
        "seconds_taken": trial.seconds,
        **{f"set:{key}": value for key, value in trial.setting.items()},
        "why": trial.why,
    }
