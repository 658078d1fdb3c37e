"""Rendering of results folders, from cells.json, provenance.json and per_query.parquet only."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.errors import UserError
from harness.reports.content import Cells
from harness.reports.document import Figure
from harness.reports.formats import TABLES, write_formats
from harness.reports.kinds import REPORTS, document_of, read_cells, reproduce_call
from harness.reports.provenance import environments, run_table
from harness.reports.renderers.html import PageEntry, ReportLink, render_html, render_page
from harness.reports.text import collection_text
from harness.storage.files import read_json, write_text

DATA = ("cells.json", "provenance.json", "per_query.parquet")
RENDERED = (*TABLES, "table.html", "figure.svg", "figure.png")
FILES = (*RENDERED, *DATA)
PAGE = "index.html"

LOG = logging.getLogger(__name__)


def render(folder: Path) -> Cells:
    """Render the tables and figures of one target in its folder, `<scale>/<paper>/<target>/`.

    Raises:
        UserError: cells.json is missing, corrupt, of an unknown kind, or of another version of the harness.
    """
    cells = read_cells(folder / "cells.json")
    report = REPORTS[cells.kind]
    document = report.document(cells)
    write_formats(document, folder)
    write_text(folder / "table.csv", report.csv(cells))
    report.draw(cells, folder / "figure.svg", folder / "figure.png")
    write_text(folder / "table.html", html_text(folder))
    return cells


def render_index(scale: Path) -> Path:
    """Render the page of a scale's targets and tunings; targets with a file missing are rendered first.

    Args:
        scale: folder of the scale below a results root.
    """
    for folder in _folders(scale):
        if not all((folder / name).exists() for name in RENDERED):
            with _skip_unreadable():
                render(folder)
    write_text(scale / PAGE, page_text(scale))
    return scale / PAGE


def render_results(root: Path, target: str | None = None) -> Sequence[Path]:
    """Render one target at all its scales, or all targets, and the pages that contain them.

    Args:
        root: root folder of the results.
        target: name of the target, `<paper>/<target>`; by default all targets with results.

    Returns:
        The rendered folders, followed by the pages.

    Raises:
        UserError: there are no such results.
    """
    folders = sorted(path.parent for path in root.glob("*/*/*/cells.json"))
    selected = [folder for folder in folders if target in (None, f"{folder.parent.name}/{folder.name}")]
    if not selected:
        fix = "run `harness reproduce` first"
        raise UserError(f"no results of {target or 'any target'} below {root}", fix=fix)
    for folder in selected:
        render(folder)
    pages = [render_index(scale) for scale in sorted({folder.parents[1] for folder in selected})]
    return [*selected, *pages]


def page_text(scale: Path) -> str:
    """Return the page of a scale's targets, from their existing figures, with links to tuning reports."""
    entries = []
    for folder in _folders(scale):
        with _skip_unreadable():
            entries.append(_entry(folder, f"{folder.parent.name}/{folder.name}/"))
    return render_page(f"Results at {scale.name} scale", entries, _tuning_links(scale))


def _tuning_links(scale: Path) -> list[ReportLink]:
    """Return links to the tuning reports of a scale, from their trials."""
    links = []
    for path in sorted(scale.glob("tuning/*/trials.json")):
        with _skip_unreadable(), _refuse_other_versions(path.parent):
            trials, name = read_json(path), f"tuning/{path.parent.name}"
            if (path.parent / "table.html").exists():
                links.append(ReportLink(name, trials["title"], trials["source"], f"{name}/table.html"))
    return links


@contextmanager
def _refuse_other_versions(folder: Path) -> Iterator[None]:
    """Raise an error for results of another version of the harness, which lack keys read today."""
    try:
        yield
    except (KeyError, TypeError) as error:
        what = f"results of another version of the harness ({type(error).__name__}: {error})"
        fix = "reproduce them, or delete the folder"
        raise UserError(what, where=str(folder / "cells.json"), fix=fix) from error


@contextmanager
def _skip_unreadable() -> Iterator[None]:
    """Skip a target with unreadable results, with a warning."""
    try:
        yield
    except UserError as error:
        LOG.warning("omitted from the page: %s", error)


def html_text(folder: Path) -> str:
    """Return one target's report as HTML, from its existing figures."""
    return render_html(_entry(folder, ""))


def _folders(scale: Path) -> list[Path]:
    """Return the complete targets of a scale; a process that is writing one renders the page afterwards."""
    folders = sorted(path.parent for path in scale.glob("*/*/cells.json"))
    return [folder for folder in folders if all((folder / name).exists() for name in DATA)]


def _entry(folder: Path, prefix: str) -> PageEntry:
    """Return a target's page entry, from its existing figures."""
    cells, provenance = read_cells(folder / "cells.json"), read_json(folder / "provenance.json")
    document = document_of(cells)
    names = [block.name for block in document.blocks if isinstance(block, Figure)]
    seeds = len(cells.seeds)
    seed_options = ["--seeds", str(seeds)] if seeds else []
    return PageEntry(
        document=document,
        drawings={name: (folder / f"{name}.svg").read_text(encoding="utf-8") for name in names},
        anchor=cells.target.replace("/", "-"),
        folder=prefix,
        files=[name for name in FILES if not name.startswith("figure")],
        target=cells.target,
        title=cells.title,
        citation=cells.source,
        paper=cells.paper,
        datasets=cells.dataset_titles,
        collection=collection_text(cells),
        seeds=seeds,
        verdict=cells.verdict,
        command=" ".join([reproduce_call(cells.kind, cells.target, cells.scale), *seed_options]),
        environments=environments(provenance),
        runs=run_table(provenance),
    )
