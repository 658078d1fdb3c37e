"""Rendering of results folders, from cells.json, provenance.json and per_query.parquet only."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from harness.errors import HarnessError, UserError, printable
from harness.reports.content import Cells
from harness.reports.document import Figure
from harness.reports.formats import TABLES, write_formats
from harness.reports.front import front
from harness.reports.glance import figures_text, headline
from harness.reports.kinds import REPORTS, document_of, read_cells, reproduce_call
from harness.reports.pages import Navigation, TargetReport
from harness.reports.provenance import environments, run_groups
from harness.reports.renderers.html import render_front, render_target
from harness.reports.site import CONFIRMATION, PAGE, REPORT, TUNING, Made, MadeTuning, Site
from harness.reports.text import verdict_text
from harness.specs.contents import contents_of
from harness.specs.library import Library
from harness.storage.files import read_json, write_text

DATA = ("cells.json", "provenance.json", "per_query.parquet")
RENDERED = (*TABLES, REPORT, "figure.svg", "figure.png")
FILES = (*RENDERED, *DATA)

LOG = logging.getLogger(__name__)


def render(folder: Path) -> Cells:
    """Render the tables and figures of one target in its folder, `<scale>/<paper>/<target>/`.

    Its page leads to no other until the site is rendered.

    Raises:
        UserError: cells.json is missing, corrupt, of an unknown kind, or of another version of the harness.
    """
    cells = read_cells(folder / "cells.json")
    report = REPORTS[cells.kind]
    with refuse_misfits(folder / "cells.json"):
        write_formats(report.document(cells), folder)
        write_text(folder / "table.csv", report.csv(cells))
        report.draw(cells, folder / "figure.svg", folder / "figure.png")
    write_text(folder / REPORT, page_text(folder))
    return cells


def page_text(folder: Path) -> str:
    """Return a target's page from its existing figures, as it stands alone, without links to other pages."""
    return render_target(_report(folder, read_cells(folder / "cells.json")), Navigation())


def render_site(root: Path) -> Path:
    """Render the site of all results below a root; a target without a file or its drawing is rendered first.

    Args:
        root: a results root, with a folder for each scale.

    Returns:
        The front page.
    """
    for folder in _folders(root):
        with _skip_unreadable():
            if not _rendered(folder):
                render(folder)
    for path, text in site_texts(root).items():
        write_text(path, text)
    return root / PAGE


def render_results(root: Path, target: str | None = None) -> Sequence[Path]:
    """Render one target at all its scales, or all targets, and the site that contains them.

    Args:
        root: root folder of the results.
        target: name of the target, `<paper>/<target>`; by default all targets with results.

    Returns:
        The rendered folders, followed by the front page of the site.

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
    return [*selected, render_site(root)]


def site_texts(root: Path) -> dict[Path, str]:
    """Return the front page of a site and the pages of its targets, from their existing figures."""
    site = read_site(root)
    pages = {
        root / each.where / REPORT: render_target(each.report, site.navigation(each)) for each in site.made
    }
    return {**pages, root / PAGE: render_front(front(site))}


def read_site(root: Path) -> Site:
    """Read all results below a root; what cannot be read is left out, with a warning."""
    made = []
    for folder in _folders(root):
        with _skip_unreadable():
            made.append(_made(folder, PurePosixPath(folder.relative_to(root))))
    return Site(made, _tunings(root), contents_of(Library.default()))


def _made(folder: Path, where: PurePosixPath) -> Made:
    """Read a target that stands at a place below the root."""
    cells = read_cells(folder / "cells.json")
    report = _report(folder, cells)
    with refuse_misfits(folder / "cells.json"):
        return Made(where, cells, report, headline(cells), figures_text(cells))


def _tunings(root: Path) -> list[MadeTuning]:
    """Return the tunings with a report, from their trials."""
    tunings = []
    for path in sorted(root.glob(f"*/{TUNING}/*/trials.json")):
        with _skip_unreadable(), refuse_misfits(path):
            trials = read_json(path)
            if (path.parent / REPORT).exists():
                where = PurePosixPath(path.parent.relative_to(root))
                tunings.append(MadeTuning(where, str(trials["title"])))
    return tunings


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


def _folders(root: Path) -> list[Path]:
    """Return the complete targets; a process that is writing one renders the site afterwards."""
    found = [*root.glob("*/*/*/cells.json"), *root.glob(f"*/{TUNING}/*/{CONFIRMATION}/cells.json")]
    folders = sorted(path.parent for path in found)
    return [folder for folder in folders if all((folder / name).exists() for name in DATA)]


def _report(folder: Path, cells: Cells) -> TargetReport:
    """Return what a target's page shows, from its existing figures."""
    provenance = read_json(folder / "provenance.json")
    with refuse_misfits(folder / "cells.json"):
        document = document_of(cells)
    with refuse_misfits(folder / "provenance.json"):
        made_in, runs = environments(provenance), run_groups(provenance)
    names = [block.name for block in document.blocks if isinstance(block, Figure)]
    call = reproduce_call(cells.kind, cells.target, cells.scale, cells.own)
    seed_options = f" --seeds {len(cells.seeds)}" if cells.seeds else ""
    return TargetReport(
        document=document,
        drawings={name: read_drawing(folder / f"{name}.svg") for name in names},
        files=[name for name in FILES if not name.startswith("figure")],
        verdict=verdict_text(cells.verdict),
        command=f"{call}{seed_options}",
        environments=made_in,
        runs=runs,
    )
