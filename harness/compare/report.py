"""The files of a comparison, in `results/local/` only: they hold texts that must not be committed."""

from __future__ import annotations

from pathlib import Path

from harness.compare.document import compare_document, render_csv
from harness.compare.figure import draw_compared
from harness.compare.result import CompareResult
from harness.reports.formats import FORMATS, write_formats
from harness.reports.pages import StandaloneReport
from harness.reports.renderers.html import render_single
from harness.storage.files import write_text
from harness.storage.store import local_results

FILES = (*FORMATS, "table.html", "per_query.csv", "figure.svg", "figure.png")


def write_report(result: CompareResult) -> Path:
    """Write table, per-query values and figure; return their folder."""
    folder, document = local_results() / result.folder, compare_document(result)
    draw_compared(result, folder / "figure.svg", folder / "figure.png")
    drawings = {"figure": (folder / "figure.svg").read_text(encoding="utf-8")}
    beside = [name for name in FILES if not name.startswith("figure")]
    write_formats(document, folder)
    report = StandaloneReport(document, drawings, beside, result.command)
    write_text(folder / "table.html", render_single(report))
    write_text(folder / "per_query.csv", render_csv(result))
    return folder
