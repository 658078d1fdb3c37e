"""Documents as HTML: single reports and pages of reports, self-contained for offline use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.errors import printable
from harness.reports.document import Document, Figure, Notes, Table, TableColumn

FOLDED_ABOVE = 15
"""Number of rows above which a table is folded, unless it has no title."""


@dataclass(frozen=True)
class PageEntry:
    """A target's report with the metadata that a page shows.

    Attributes:
        document: content of the report.
        drawings: name of a figure -> its SVG.
        anchor: fragment identifier of the report in the page.
        folder: folder of the report's files, relative to the page; empty or with a trailing slash.
        files: names of the report's files.
        target, title, citation, paper, datasets, collection, seeds, verdict: columns of the list of targets.
        command: command that reproduces the results.
        environments: environments of the runs.
        runs: table of the runs.
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
        """Data attributes for the filter; a bar separates several values."""
        return {f"data-{name}": "|".join(values) for name, values in self.values.items()}

    @property
    def values(self) -> dict[str, Sequence[str]]:
        """Name of a filter -> the entry's values for it."""
        values = {"paper": [self.paper], "dataset": self.datasets, "verdict": [self.verdict]}
        return {name: [printable(each).replace("|", "/") for each in of] for name, of in values.items()}


@dataclass(frozen=True)
class StandaloneReport:
    """A report without a target, and thus without runs of its own.

    Attributes:
        document: content of the report.
        drawings: name of a figure -> its SVG.
        files: names of the files beside the report.
        command: command that makes the report again.
        anchor: prefix of the identifiers in the figures.
        folder: folder of the report's files, relative to the page; empty or with a trailing slash.
    """

    document: Document
    drawings: Mapping[str, str]
    files: Sequence[str]
    command: str
    anchor: str = "report"
    folder: str = ""


@dataclass(frozen=True)
class ReportLink:
    """A link from a page to a report.

    Attributes:
        name, title, citation: text of the link.
        address: address of the report, relative to the page.
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


def render_page(title: str, entries: Sequence[PageEntry], tunings: Sequence[ReportLink] = ()) -> str:
    """Return a page of reports with a list of them that can be filtered and sorted, and links to tunings."""
    names = entries[0].values if entries else {}
    filters = {name: sorted({value for entry in entries for value in entry.values[name]}) for name in names}
    page = _templates().get_template("page.html")
    return page.render(title=title, entries=entries, filters=filters, tunings=tunings)


def render_html(entry: PageEntry) -> str:
    """Return the HTML of one target's report."""
    return _templates().get_template("table.html").render(title=entry.document.title, entry=entry)


def render_single(entry: StandaloneReport) -> str:
    """Return the HTML of a report without a target."""
    return _templates().get_template("single.html").render(title=entry.document.title, entry=entry)


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
    environment.filters |= {"prose": _prose, "inline": _inline, "spans": _spans}
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


def _spans(columns: Sequence[TableColumn]) -> list[ColumnSpan]:
    """Return the headings of the groups, from left to right."""
    groups = groupby(columns, key=lambda column: column.group)
    return [ColumnSpan(name, len(list(members))) for name, members in groups]


def _inline(svg: str, prefix: str, alt: str) -> Markup:
    """Return an SVG for inclusion in a page: without its prolog, and with unique ids."""
    body, prefix = svg[svg.index("<svg") :], str(escape(prefix))
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', body))

    def renamed(match: re.Match[str]) -> str:
        return f' id="{prefix}-{match[1]}"' if match[1] in used else ""

    body = re.sub(r' id="([^"]*)"', renamed, body)
    body = re.sub(r'(href="#|url\(#)', lambda match: f"{match[1]}{prefix}-", body)
    label = escape(printable(alt))
    return Markup(body.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1))  # noqa: S704  (ours)
