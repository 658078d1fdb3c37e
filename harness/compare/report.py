"""The files of a comparison, in `results/local/` alone: they hold texts that must not be committed."""

from __future__ import annotations

from pathlib import Path

from harness.compare.document import compare_document, render_csv
from harness.compare.figure import draw_compared
from harness.compare.result import Compared
from harness.reports.renderers.html import StandaloneReport, render_single
from harness.reports.renderers.markdown import render_markdown
from harness.storage.files import write_text
from harness.storage.store import LOCAL

FILES = ("table.md", "table.html", "per_query.csv", "figure.svg", "figure.png")


def write_report(found: Compared) -> Path:
    """Write table, per-query values and figure; returns their folder."""
    folder, document = LOCAL / found.folder, compare_document(found)
    draw_compared(found, folder / "figure.svg", folder / "figure.png")
    drawings = {"figure": (folder / "figure.svg").read_text(encoding="utf-8")}
    beside = [name for name in FILES if not name.startswith("figure")]
    write_text(folder / "table.md", render_markdown(document))
    write_text(
        folder / "table.html", render_single(StandaloneReport(document, drawings, beside, found.command))
    )
    write_text(folder / "per_query.csv", render_csv(found))
    return folder
