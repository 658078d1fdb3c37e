"""What the pages of a site show, and reports without a target, independent of HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.errors import printable
from harness.reports.document import Document, Field, Notes


@dataclass(frozen=True)
class Link:
    """A link from a page to another.

    Attributes:
        text: text of the link.
        address: path relative to the page; empty for the page itself.
        title: what the other page is about.
        fragment: identifier of a place in the other page.
    """

    text: str
    address: str
    title: str = ""
    fragment: str = ""


@dataclass(frozen=True)
class Navigation:
    """Where a page stands in its site.

    Attributes:
        trail: links to the pages above it, the front page first.
        here: what the page itself is called.
        scales: the same target at all its scales; of this page, a link without an address.
        before, after: the neighbouring targets of the same scale and paper.
    """

    trail: Sequence[Link] = ()
    here: str = ""
    scales: Sequence[Link] = ()
    before: Link | None = None
    after: Link | None = None


@dataclass(frozen=True)
class RunGroup:
    """The runs of a row.

    Attributes:
        row: name of the row.
        anchor: fragment identifier of the group.
        runs: a line for each run.
    """

    row: str
    anchor: str
    runs: tuple[tuple[Field, ...], ...]


@dataclass(frozen=True)
class TargetReport:
    """A target's report with what its page shows beside it.

    Attributes:
        document: content of the report.
        drawings: name of a figure -> its SVG, which lies beside the page.
        files: names of the files beside the page.
        verdict: on the table.
        command: that reproduces the results.
        environments: environments of the runs.
        runs: the runs of each row.
    """

    document: Document
    drawings: Mapping[str, str]
    files: Sequence[str]
    verdict: str
    command: str
    environments: Notes
    runs: Sequence[RunGroup]

    def anchor_of(self, runs: str) -> str:
        """Return the anchor of a row's runs, the first of them where it stands for several; empty if none."""
        exact = [group.anchor for group in self.runs if group.row == runs]
        several = [group.anchor for group in self.runs if group.row.startswith(f"{runs}: ")]
        return next(iter([*exact, *several]), "") if runs else ""


@dataclass(frozen=True)
class StandaloneReport:
    """A report without a target, and thus without runs of its own.

    Attributes:
        document: content of the report.
        drawings: name of a figure -> its SVG, which lies beside the page.
        files: names of the files beside the page.
        command: command that makes the report again.
        navigation: where it stands in a site, if in any.
        runs: none, as templates ask for them.
    """

    document: Document
    drawings: Mapping[str, str]
    files: Sequence[str]
    command: str
    navigation: Navigation = field(default_factory=Navigation)
    runs: Sequence[RunGroup] = ()

    def anchor_of(self, runs: str) -> str:
        """Return nothing: there are no runs."""
        return ""


@dataclass(frozen=True)
class Headline:
    """The figure in the primary measure of the row that is published as the best of those to be made.

    Attributes:
        row, measure: where it stands.
        minus: the row that it is compared with; empty where it is not.
        published, published_difference: as printed; the difference is empty where there is none.
        reproduced, difference: as made here; the difference is empty where there is none.
    """

    row: str
    measure: str
    minus: str
    published: str
    published_difference: str
    reproduced: Field
    difference: str

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What it has in common at all scales."""
        return self.row, self.measure, self.minus, self.published


@dataclass(frozen=True)
class FrontCell:
    """A target at a scale, as the front page shows it.

    Attributes:
        links: to its pages; the first has the figure as its text, where there is one.
        difference: from the baseline, with an interval; empty if there is none.
        facts: what else a reader must know, such as the number of figures, seeds and the verdict.
    """

    links: Sequence[Link]
    difference: str
    facts: Sequence[str]


@dataclass(frozen=True)
class FrontRow:
    """A target on the front page.

    Attributes:
        anchor: fragment identifier of the row.
        name, title: of the target.
        headline: whose published figure is shown; none where nothing is published in the primary measure.
        cells: by scale; none where it was not made.
        state: why it was made at no scale; empty if it was.
        tags: name of a filter -> the row's values for it.
    """

    anchor: str
    name: str
    title: str
    headline: Headline | None
    cells: Sequence[FrontCell | None]
    state: str
    tags: Mapping[str, Sequence[str]]

    @property
    def data(self) -> dict[str, str]:
        """Data attributes for the filter; a bar separates several values."""
        return {f"data-{name}": "|".join(map(tag_text, values)) for name, values in self.tags.items()}


@dataclass(frozen=True)
class FrontSection:
    """A paper on the front page, or the tunings.

    Attributes:
        anchor: fragment identifier of the section.
        title, about: heading of the section, and a sentence below it.
        rows: its targets.
    """

    anchor: str
    title: str
    about: str
    rows: Sequence[FrontRow]

    @property
    def made(self) -> int:
        """Number of targets with results."""
        return sum(not row.state for row in self.rows)


@dataclass(frozen=True)
class Front:
    """The front page of a site.

    Attributes:
        sections: the papers, in order, and the tunings.
        scales: name of a scale with results -> what it is for.
        meanings: verdict -> what it means, of those that need it.
    """

    sections: Sequence[FrontSection]
    scales: Mapping[str, str]
    meanings: Mapping[str, str]

    @property
    def rows(self) -> list[FrontRow]:
        """The rows of all sections."""
        return [row for section in self.sections for row in section.rows]

    @property
    def made(self) -> int:
        """Number of targets with results."""
        return sum(section.made for section in self.sections)

    @property
    def printed(self) -> bool:
        """Whether any row shows a published figure."""
        return any(row.headline for row in self.rows)

    @property
    def filters(self) -> dict[str, list[str]]:
        """Name of a filter -> its values over all rows."""
        names = self.rows[0].tags if self.rows else {}
        return {
            name: sorted({tag_text(value) for row in self.rows for value in row.tags[name]}) for name in names
        }


def tag_text(value: str) -> str:
    """Return a value of a filter on one line and without a bar, which separates values."""
    return printable(value).replace("|", "/")


def distinct_anchors(prefix: str, names: Iterable[str]) -> dict[str, str]:
    """Return a fragment identifier for each name, no two the same."""
    anchors: dict[str, str] = {}
    used: set[str] = set()
    for name in names:
        stem = "-".join([*[prefix] * bool(prefix), *re.findall("[a-z0-9]+", name.lower())]) or "other"
        anchor, number = stem, 1
        while anchor in used:
            number += 1
            anchor = f"{stem}-{number}"
        used.add(anchor)
        anchors[name] = anchor
    return anchors
