"""The site of results: which pages there are, in which order, and how they lead to each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from harness.reports.content import Cells
from harness.reports.pages import Headline, Link, Navigation, TargetReport, distinct_anchors
from harness.specs.contents import Contents

PAGE, REPORT = "index.html", "table.html"
"""The front page, and the page of a target in its folder."""

TUNING = "tuning"
"""In the place of a paper, what tunings wrote."""

CONFIRMATION = "confirmation"
"""Name of the folder of a tuning's confirmation, below the tuning's."""

FIRST, LAST = ("simans", "trisampler", "ar2"), ("calibration", TUNING)
"""The papers at the beginning, and what is no paper; others stand between them, by name."""

KINDS = ("table-", "figure-")
"""How the names of a paper's targets begin, in order."""


@dataclass(frozen=True)
class Page:
    """A page with results at a scale.

    Attributes:
        where: its folder, relative to the root: scale, paper, target; of a confirmation one more.
    """

    where: PurePosixPath

    @property
    def scale(self) -> str:
        """Name of the scale."""
        return self.where.parts[0]

    @property
    def paper(self) -> str:
        """Name of the paper, or `TUNING`."""
        return self.where.parts[1]

    @property
    def name(self) -> str:
        """Name of the target, without its paper."""
        return "/".join(self.where.parts[2:])

    @property
    def address(self) -> str:
        """Path of the page from the root."""
        return str(self.where / REPORT)


@dataclass(frozen=True)
class Made(Page):
    """A target.

    Attributes:
        cells: what its cells.json holds.
        report: what its page shows.
        headline: the figure that its paper rests on, if there is one.
        counted: how many of its figures were made; empty where they are not counted.
    """

    cells: Cells
    report: TargetReport
    headline: Headline | None
    counted: str


@dataclass(frozen=True)
class MadeTuning(Page):
    """A tuning, with its title."""

    title: str


@dataclass(frozen=True)
class Site:
    """All results below a root.

    Attributes:
        made: the targets, with confirmations.
        tunings: the tunings.
        contents: what the library holds, made or not.
    """

    made: Sequence[Made]
    tunings: Sequence[MadeTuning]
    contents: Contents

    @cached_property
    def own(self) -> bool:
        """Whether there are tables of one's own, which no paper prints: what is not made is not missing."""
        return any(made.cells.own for made in self.made)

    @cached_property
    def papers(self) -> list[str]:
        """All papers, in order."""
        names = {page.paper for page in (*self.made, *self.tunings)}
        return sorted(names if self.own else {*names, *self.contents.papers}, key=_place_of_paper)

    @cached_property
    def scales(self) -> list[str]:
        """The scales that have results."""
        return sorted({each.scale for each in (*self.made, *self.tunings)})

    @cached_property
    def anchors(self) -> dict[str, str]:
        """Name of a paper, or of a target with its paper -> its place on the front page."""
        targets = [f"{paper}/{name}" for paper in self.papers for name in self.names(paper)]
        return distinct_anchors("", [*self.papers, *targets])

    def of_paper(self, paper: str) -> list[Made]:
        """Return what was made of a paper."""
        return [made for made in self.made if made.paper == paper]

    def names(self, paper: str) -> list[str]:
        """Return the names of a paper's targets and drawings, made or not, in the order of the paper."""
        if paper == TUNING:
            return sorted({page.where.parts[2] for page in (*self.tunings, *self.of_paper(TUNING))})
        names = {made.name for made in self.of_paper(paper)}
        return sorted(names if self.own else {*names, *self.contents.names(paper)}, key=_place_of_target)

    def heading(self, paper: str) -> str:
        """Return what a paper is called."""
        known = self.contents.papers.get(paper)
        return known.title if known else {TUNING: "Tunings"}.get(paper, paper)

    def navigation(self, made: Made) -> Navigation:
        """Return where the page of a target stands."""
        up = "../" * len(made.where.parts)
        near = [other for other in self.of_paper(made.paper) if other.scale == made.scale]
        near.sort(key=lambda other: _place_of_target(other.name))
        place = near.index(made)
        before, after = near[max(place - 1, 0) : place], near[place + 1 : place + 2]
        scales = sorted({other.scale for other in self.made if other.where.parts[1:] == made.where.parts[1:]})
        return Navigation(
            trail=[*trail(self.heading(made.paper), self.anchors[made.paper], up), *self._tuning_of(made)],
            here=made.name.rpartition("/")[2],
            scales=[Link(scale, self._address(made, scale, up)) for scale in scales],
            before=next((_neighbour(other, up) for other in before), None),
            after=next((_neighbour(other, up) for other in after), None),
        )

    def _tuning_of(self, made: Made) -> list[Link]:
        """Return a link to the tuning that a confirmation is of."""
        of = [each for each in self.tunings if each.where == made.where.parent]
        return [Link(each.where.name, f"../{REPORT}") for each in of]

    @staticmethod
    def _address(made: Made, scale: str, up: str) -> str:
        """Return the address of a page at a scale, from its own at another; of itself nothing."""
        return "" if scale == made.scale else f"{up}{PurePosixPath(scale, *made.where.parts[1:], REPORT)}"


def trail(heading: str, anchor: str, up: str) -> list[Link]:
    """Return links to the front page and to a section of it.

    Args:
        heading: what the section is called.
        anchor: its place on the front page.
        up: path from the page's folder to the root.
    """
    return [Link("Results", f"{up}{PAGE}"), Link(heading, f"{up}{PAGE}", fragment=anchor)]


def _neighbour(made: Made, up: str) -> Link:
    return Link(made.name, f"{up}{made.address}", made.cells.title)


def _place_of_paper(name: str) -> tuple[int, str]:
    """Return where a paper stands among others."""
    if name in FIRST:
        return FIRST.index(name) - len(FIRST), name
    return (1 + LAST.index(name) if name in LAST else 0), name


def _place_of_target(name: str) -> tuple[int, list[int | str]]:
    """Return where a target stands in its paper: tables before figures, by number."""
    kind = next((place for place, kind in enumerate(KINDS) if name.startswith(kind)), len(KINDS))
    parts = re.split(r"([0-9]+)", name)
    return kind, [int(part) if place % 2 else part for place, part in enumerate(parts)]
