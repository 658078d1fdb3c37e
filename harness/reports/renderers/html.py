"""Documents as HTML: one that stands by itself, and a page of many; self-contained, for a browser offline."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.reports.document import Document, Figure, Notes, Table, TableColumn

FOLDED_ABOVE = 15
"""Rows; a longer table opens on demand, unless it is the first of its report."""


@dataclass(frozen=True)
class PageEntry:
    """A report and what a page says around it.

    Attributes:
        document: what it says.
        drawings: name of a figure -> its SVG.
        anchor: its name in addresses.
        folder: where its files lie, relative to the page; with a slash, or empty.
        files: their names.
        target, title, citation, paper, datasets, collection, seeds, verdict: for the list of targets.
        command: makes it again.
        environments: what its runs were made on.
        runs: its runs.
    """

    document: Document
    drawings: Mapping[str, str]
    anchor: str
    folder: str
    files: Sequence[str]
    target: str
    title: str
    citation: str
    paper: str
    datasets: Sequence[str]
    collection: str
    seeds: int
    verdict: str
    command: str
    environments: Notes
    runs: Table

    @property
    def tags(self) -> dict[str, str]:
        """What the filter reads; several values are divided by a bar."""
        return {f"data-{name}": "|".join(values) for name, values in self.values.items()}

    @property
    def values(self) -> dict[str, Sequence[str]]:
        """Each filter and the entry's values for it."""
        return {"paper": [self.paper], "dataset": self.datasets, "verdict": [self.verdict]}


@dataclass(frozen=True)
class StandaloneReport:
    """A report that is of no target, and so has no provenance of its own.

    Attributes:
        document: what it says.
        drawings: name of a figure -> its SVG.
        files: names of those beside it.
        command: makes it again.
    """

    document: Document
    drawings: Mapping[str, str]
    files: Sequence[str]
    command: str
    anchor: str = "report"
    folder: str = ""


@dataclass(frozen=True)
class ReportLink:
    """A report that a page leads to.

    Attributes:
        name, title, citation: what it is.
        address: of it, relative to the page.
    """

    name: str
    title: str
    citation: str
    address: str


@dataclass(frozen=True)
class ColumnSpan:
    """A heading over several columns."""

    name: str
    width: int


def render_page(title: str, entries: Sequence[PageEntry], searches: Sequence[ReportLink] = ()) -> str:
    """Return a page of reports with a list of them that can be filtered and sorted, and links to searches."""
    names = entries[0].values if entries else {}
    filters = {name: sorted({value for entry in entries for value in entry.values[name]}) for name in names}
    page = _templates().get_template("page.html")
    return page.render(title=title, entries=entries, filters=filters, searches=searches)


def render_html(entry: PageEntry) -> str:
    """Return one report by itself."""
    return _templates().get_template("table.html").render(title=entry.document.title, entry=entry)


def render_single(entry: StandaloneReport) -> str:
    """Return a report that is of no target."""
    return _templates().get_template("single.html").render(title=entry.document.title, entry=entry)


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.reports.renderers"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"prose": _prose, "inline": _inline, "spans": _spans}
    environment.tests |= {
        "table": lambda block: isinstance(block, Table),
        "figure": lambda block: isinstance(block, Figure),
    }
    environment.globals["folded_above"] = FOLDED_ABOVE
    return environment


def _prose(text: str) -> Markup:
    """Return a sentence; what stands between backticks is code."""
    return Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  (escaped here)


def _spans(columns: Sequence[TableColumn]) -> list[ColumnSpan]:
    """Return the headings of groups, one after the other."""
    groups = groupby(columns, key=lambda column: column.group)
    return [ColumnSpan(name, len(list(members))) for name, members in groups]


def _inline(svg: str, prefix: str, alt: str) -> Markup:
    """Return a figure to stand in a page: without its head, and with ids that no other figure has."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', body))

    def renamed(match: re.Match[str]) -> str:
        return f' id="{prefix}-{match[1]}"' if match[1] in used else ""

    body = re.sub(r' id="([^"]*)"', renamed, body)
    body = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", body)
    return Markup(body.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1))  # noqa: S704  (ours)
