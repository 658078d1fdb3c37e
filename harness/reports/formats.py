"""The formats of a report, one table for all: targets, tunings, analyses, comparisons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.reports.document import Document
from harness.reports.renderers.latex import render_latex
from harness.reports.renderers.markdown import render_markdown
from harness.storage.files import write_text

FORMATS: dict[str, Callable[[Document], str]] = {
    "table.md": render_markdown,
    "table.tex": render_latex,
}
"""Name of a file -> the renderer that makes it from a document alone; HTML needs the figures as well."""


TABLES = tuple(dict.fromkeys(["table.md", "table.csv", *FORMATS]))
"""The files of a table in all formats and as data, in the order in which pages link to them."""


def write_formats(document: Document, folder: Path) -> list[Path]:
    """Write a report in all formats; return the files."""
    for name, render in FORMATS.items():
        write_text(folder / name, render(document))
    return [folder / name for name in FORMATS]
