"""Documents as HTML, for offline use: the pages of a site of results, and reports without a target."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.errors import printable
from harness.reports.document import Figure, Table, TableColumn
from harness.reports.pages import Front, Navigation, StandaloneReport, TargetReport

FOLDED_ABOVE = 15
"""Number of rows above which a table is folded, unless it has no title."""


@dataclass(frozen=True)
class ColumnSpan:
    """A heading over several columns."""

    name: str
    width: int
    runs: str


def render_front(front: Front) -> str:
    """Return the front page of a site."""
    return _templates().get_template("front.html").render(title="Results", front=front)


def render_target(report: TargetReport, navigation: Navigation) -> str:
    """Return the page of a target."""
    template = _templates().get_template("target.html")
    return template.render(title=report.document.title, entry=report, navigation=navigation)


def render_single(report: StandaloneReport) -> str:
    """Return the page of a report without a target."""
    template = _templates().get_template("single.html")
    return template.render(title=report.document.title, entry=report, navigation=report.navigation)


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.reports.renderers"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters |= {"prose": _prose, "spans": _spans, "size": _size, "path": _path}
    environment.tests |= {
        "table": lambda block: isinstance(block, Table),
        "figure": lambda block: isinstance(block, Figure),
    }
    environment.globals["folded_above"] = FOLDED_ABOVE
    return environment


def _shown(value: Any) -> Any:
    """Return what a template prints: a text on one line, which is then escaped; HTML of ours as it is."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _prose(text: str) -> Markup:
    """Return a sentence as HTML, with text between backticks as code."""
    return Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(printable(text)))))  # noqa: S704  (escaped here)


def _path(name: str) -> str:
    """Return a path as an address; bytes of a name that are no letters stay what they are."""
    return quote(os.fsencode(name))


def _spans(columns: Sequence[TableColumn]) -> list[ColumnSpan]:
    """Return the headings of the groups, from left to right."""
    groups = [list(of) for _, of in groupby(columns, key=lambda column: column.group)]
    return [ColumnSpan(of[0].group, len(of), of[0].runs) for of in groups]


def _size(svg: str) -> Markup:
    """Return width and height of a figure as attributes, so that a page keeps room for it."""
    found = re.search(r'<svg [^>]*?width="([0-9.]+)pt" height="([0-9.]+)pt"', svg)
    if found is None:
        return Markup()
    width, height = (round(float(points) * 4 / 3) for points in found.groups())
    return Markup(f' width="{width}" height="{height}"')  # noqa: S704  (numbers)
