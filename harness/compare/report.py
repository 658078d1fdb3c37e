"""The files of a comparison, in `results/local/` alone: they hold texts that must not be committed."""

from __future__ import annotations

from pathlib import Path

from harness.compare.document import compare_document, render_csv
from harness.compare.figure import draw_compared
from harness.compare.result import Compared
from harness.files import write_text
from harness.reports.renderers.markdown import render_markdown
from harness.store import LOCAL


def write_report(found: Compared) -> list[Path]:
    """Write table, per-query values and figure; returns the files."""
    folder = LOCAL / found.folder
    table, values = folder / "table.md", folder / "per_query.csv"
    svg, png = folder / "figure.svg", folder / "figure.png"
    write_text(table, render_markdown(compare_document(found)))
    write_text(values, render_csv(found))
    draw_compared(found, svg, png)
    return [table, values, svg, png]
