"""Rendering of results folders, from cells.json, provenance.json and per_query.parquet only."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import HarnessError, UserError, printable
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
    with refuse_misfits(folder / "cells.json"):
        write_formats(report.document(cells), folder)
        write_text(folder / "table.csv", report.csv(cells))
        report.draw(cells, folder / "figure.svg", folder / "figure.png")
    write_text(folder / "table.html", html_text(folder))
    return cells


def render_index(scale: Path) -> Path:
    """Render the page of a scale's targets and tunings; what lacks a file or its drawing is rendered first.

    Args:
        scale: folder of the scale below a results root.
    """
    for folder in _folders(scale):
        with _skip_unreadable():
            if not _rendered(folder):
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
        with _skip_unreadable(), refuse_misfits(path):
            trials, name = read_json(path), f"tuning/{path.parent.name}"
            if (path.parent / "table.html").exists():
                links.append(ReportLink(name, trials["title"], trials["source"], f"{name}/table.html"))
    return links


@contextmanager
def refuse_misfits(path: Path) -> Iterator[None]:
    """Raise an error for results that can be read, and whose parts do not fit together.

    Args:
        path: the file whose content the block uses.

    Raises:
        UserError: it is damaged, or of another version of the harness, which lacks keys read today.
    """
    try:
        yield
    except (HarnessError, OSError):
        raise
    except Exception as error:
        what = f"damaged, or of another version of the harness ({type(error).__name__}: {error})"
        raise UserError(what, where=str(path), fix="reproduce the results, or delete their folder") from error


@contextmanager
def _skip_unreadable() -> Iterator[None]:
    """Skip a target with unreadable results, with a warning."""
    try:
        yield
    except (UserError, OSError) as error:
        LOG.warning("omitted from the page: %s", printable(str(error)))


def read_drawing(path: Path) -> str:
    """Return a figure's SVG.

    Raises:
        UserError: it is missing, or no whole SVG.
    """
    try:
        svg = path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        svg = ""
    if "<svg " in svg and svg.rstrip().endswith("</svg>"):
        return svg
    fix = "draw it again with `harness report --all`"
    raise UserError("no drawing, or only a part of one", where=str(path), fix=fix)


def _rendered(folder: Path) -> bool:
    """Return whether a target has all of its tables and figures, whole as far as pages show them."""
    with suppress(UserError):
        read_drawing(folder / "figure.svg")
        return all((folder / name).exists() for name in RENDERED)
    return False


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
    with refuse_misfits(folder / "cells.json"):
        document = document_of(cells)
    with refuse_misfits(folder / "provenance.json"):
        made_in, runs = environments(provenance), run_table(provenance)
    names = [block.name for block in document.blocks if isinstance(block, Figure)]
    seeds = len(cells.seeds)
    seed_options = ["--seeds", str(seeds)] if seeds else []
    return PageEntry(
        document=document,
        drawings={name: read_drawing(folder / f"{name}.svg") for name in names},
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
        command=" ".join([reproduce_call(cells.kind, cells.target, cells.scale, cells.own), *seed_options]),
        environments=made_in,
        runs=runs,
    )
