"""The files of a search's report, from its trials.json alone; the same trials give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.reports.document import Document, Figure
from harness.reports.renderers.html import StandaloneReport, render_single
from harness.reports.renderers.latex import render_latex
from harness.reports.renderers.markdown import render_markdown
from harness.reports.rendering import render as render_target
from harness.reports.rendering import render_index
from harness.storage.files import write_text
from harness.tuning.report.figures.contour import draw_contour
from harness.tuning.report.figures.expected import draw_expected
from harness.tuning.report.figures.history import draw_history
from harness.tuning.report.figures.importance import draw_importance
from harness.tuning.report.figures.pareto import draw_pareto
from harness.tuning.report.figures.slices import draw_slices
from harness.tuning.report.importance import importance
from harness.tuning.report.result import TRIALS, Found, read_found
from harness.tuning.report.table import search_document
from harness.tuning.report.tables.importance import Importances
from harness.tuning.report.tidy import render_trials_csv

FILES = ("table.md", "table.csv", "table.tex", "table.html", TRIALS)

DRAWN = {
    "history": draw_history,
    "expected_best": draw_expected,
    "slices": draw_slices,
    "contour": draw_contour,
    "pareto": draw_pareto,
}
"""Name of a figure -> what draws it from the trials; importances are drawn from those of the table."""


def render(folder: Path) -> Document:
    """Render table and figures of a search, `<scale>/searches/<name>/`.

    Returns:
        What the report says, for the console.

    Raises:
        UserError: trials.json is missing, corrupt, or of another state of the harness.
    """
    found = read_found(folder / TRIALS)
    importances = importances_of(found)
    document = search_document(found, importances)
    names = [block.name for block in document.blocks if isinstance(block, Figure)]
    for name in {*DRAWN, "importance"} - set(names):
        for ending in ("svg", "png"):
            (folder / f"{name}.{ending}").unlink(missing_ok=True)  # of an earlier state of the trials
    for name in names:
        svg, png = folder / f"{name}.svg", folder / f"{name}.png"
        if name == "importance":
            draw_importance(found, importances, svg, png)
        else:
            DRAWN[name](found, svg, png)
    drawings = {name: (folder / f"{name}.svg").read_text(encoding="utf-8") for name in names}
    command = f"harness search {found.name} --scale {found.scale}"
    write_text(folder / "table.md", render_markdown(document))
    write_text(folder / "table.tex", render_latex(document))
    write_text(folder / "table.csv", render_trials_csv(found))
    write_text(folder / "table.html", render_single(StandaloneReport(document, drawings, FILES, command)))
    return document


def importances_of(found: Found) -> Importances:
    """Return the importances of each study for each objective."""
    return {
        (study.row, place): importance(study, place)
        for study in found.studies
        for place in range(len(found.objectives))
    }


def render_searches(root: Path) -> Sequence[Path]:
    """Render all searches below a results root, their confirmations and the pages that lead to them.

    Returns:
        Their folders.
    """
    folders = sorted(path.parent for path in root.glob(f"*/searches/*/{TRIALS}"))
    for folder in folders:
        render(folder)
        if (folder / "confirmation" / "cells.json").exists():
            render_target(folder / "confirmation")
    for scale in sorted({folder.parents[1] for folder in folders}):
        render_index(scale)
    return folders
