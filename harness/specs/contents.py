"""What a library holds, as it is written: pages need no more than titles, and nothing is checked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from harness.errors import UserError
from harness.specs.library import Library
from harness.specs.paper import Drawing, Paper


@dataclass(frozen=True)
class Contents:
    """The papers of a library and what they print.

    Attributes:
        papers: name of a paper -> the paper, of those that can be read.
        titles: name of a target -> its title; empty where its file cannot be read.
        scales: name of a scale -> what it is for.
    """

    papers: Mapping[str, Paper]
    titles: Mapping[str, str]
    scales: Mapping[str, str]

    def names(self, paper: str) -> list[str]:
        """Return the names of a paper's targets, without the paper, and of its drawings."""
        names = [name.partition("/")[2] for name in self.titles if name.startswith(f"{paper}/")]
        return [*names, *(drawing.name for drawing in self.drawings(paper))]

    def drawings(self, paper: str) -> list[Drawing]:
        """Return the figures of a paper that nothing can reproduce."""
        return self.papers[paper].drawings if paper in self.papers else []


def contents_of(library: Library) -> Contents:
    """Return what a library holds."""
    return Contents(
        papers=library.papers(),
        titles={name: _title(library, name) for name in library.targets()},
        scales={name: _summary(library, name) for name in library.names("scales")},
    )


def _title(library: Library, name: str) -> str:
    with suppress(UserError):
        return str(library.target_yaml(name).at(("title",)) or "")
    return ""


def _summary(library: Library, name: str) -> str:
    with suppress(UserError):
        return str(library.scale_yaml(name).at(("summary",)) or "")
    return ""
