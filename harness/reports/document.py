"""What a report says, apart from how it is written: the renderers turn it into Markdown, LaTeX, HTML, text.

A kind of target builds one `Document` from its cells; all its renderings come from that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["figure", "missing", "failed", "unavailable"]


@dataclass(frozen=True)
class Field:
    """What stands under a column, in a row.

    Attributes:
        text: as a reader sees it.
        mark: set behind the text, raised where that is possible; the table's notes say what it means.
        strong: to be noticed.
        state: a figure or name, or why there is none where one is due.
    """

    text: str
    mark: str = ""
    strong: bool = False
    state: State = "figure"


@dataclass(frozen=True)
class TableColumn:
    """A column of a table.

    Attributes:
        name: its heading; below the group's, where it has one.
        group: heading shared with its neighbours of the same group.
        names: it holds names and stands to the left; else figures, to the right.
        brief: its heading on the console, where only columns with one are shown.
    """

    name: str
    group: str = ""
    names: bool = False
    brief: str | None = None

    @property
    def heading(self) -> str:
        """Both headings in one line."""
        return f"{self.group} {self.name}" if self.group else self.name


@dataclass(frozen=True)
class Table:
    """Rows under columns.

    Attributes:
        title: heading; the first table of a report may stand under the report's own.
        columns: headings.
        rows: as many fields each as there are columns; with no row at all the caption says why.
        caption: sentences above the rows.
        notes: sentences under the rows, that they cannot be read without.
    """

    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Field, ...], ...]
    caption: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure, `<name>.svg` and `<name>.png` beside the report.

    Attributes:
        name: of its files.
        alt: what it shows, for those who do not see it.
    """

    name: str
    alt: str


@dataclass(frozen=True)
class NoteItem:
    """A sentence, or what is to be said of a term."""

    text: str
    term: str = ""


@dataclass(frozen=True)
class Notes:
    """A list under a heading."""

    title: str
    items: tuple[NoteItem, ...]


Block = Table | Figure | Notes


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        title: heading.
        introduction: paragraphs under it: what it shows, made on what; the verdict.
        blocks: tables, figures and lists in their order.
        made_on: collection, scale and seeds, for the captions of tables that may stand alone.
        last: what ends the report on the console.
    """

    title: str
    introduction: tuple[str, ...]
    blocks: tuple[Block, ...]
    made_on: str
    last: str


def fields(texts: Iterable[str]) -> tuple[Field, ...]:
    """Return a field for each text."""
    return tuple(Field(text) for text in texts)


def noted(title: str, texts: Iterable[str]) -> Notes:
    """Return a list of sentences."""
    return Notes(title, tuple(NoteItem(text) for text in texts))


def filled(*blocks: Block) -> tuple[Block, ...]:
    """Return the blocks that have something to say."""
    return tuple(block for block in blocks if not _empty(block))


def _empty(block: Block) -> bool:
    if isinstance(block, Table):
        return not block.rows and not block.caption
    return isinstance(block, Notes) and not block.items
