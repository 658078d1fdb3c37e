"""The content of a report, independent of its format: renderers write Markdown, LaTeX, HTML or text.

Each kind of target builds one `Document` from its cells, which all renderers read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["figure", "missing", "failed", "unavailable"]


@dataclass(frozen=True)
class Field:
    """A field of a table: the text of a row in a column.

    Attributes:
        text: the text as printed.
        mark: superscript after the text, explained in the table's notes.
        strong: whether to print the text in bold.
        state: ``figure`` for a figure or a name, else the reason why a figure is missing.
        runs: name of the row of runs that it stands for; pages lead from it to those runs.
    """

    text: str
    mark: str = ""
    strong: bool = False
    state: State = "figure"
    runs: str = ""


@dataclass(frozen=True)
class TableColumn:
    """A column of a table.

    Attributes:
        name: heading of the column, below that of its group, if any.
        group: heading shared by neighbouring columns of the same group.
        names: whether the column holds names (aligned left) or figures (aligned right).
        brief: heading on the terminal, which shows only the columns that have one.
        runs: name of the row of runs that its group stands for; see `Field`.
    """

    name: str
    group: str = ""
    names: bool = False
    brief: str | None = None
    runs: str = ""

    @property
    def heading(self) -> str:
        """Both headings in one line."""
        return f"{self.group} {self.name}" if self.group else self.name


@dataclass(frozen=True)
class Table:
    """Rows under columns.

    Attributes:
        title: heading of the table; the first table of a report may do without.
        columns: the columns, from left to right.
        rows: the rows, each with one field for each column; if there are none, the caption explains why.
        caption: sentences printed above the rows.
        notes: sentences printed below the rows, which explain marks.
    """

    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Field, ...], ...]
    caption: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure, in the files `<name>.svg` and `<name>.png` beside the report.

    Attributes:
        name: stem of the figure's files.
        alt: description of the figure for screen readers.
    """

    name: str
    alt: str


@dataclass(frozen=True)
class NoteItem:
    """A sentence, which may explain a term."""

    text: str
    term: str = ""


@dataclass(frozen=True)
class Notes:
    """A list of sentences under a heading."""

    title: str
    items: tuple[NoteItem, ...]


Block = Table | Figure | Notes


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        title: heading of the report.
        introduction: paragraphs below the title: content, collection and verdict.
        blocks: tables, figures and lists, in order.
        made_on: collection, scale and seeds, for captions of tables that are used by themselves.
        last: last line of the report on the terminal.
    """

    title: str
    introduction: tuple[str, ...]
    blocks: tuple[Block, ...]
    made_on: str
    last: str


def fields(texts: Iterable[str | Field]) -> tuple[Field, ...]:
    """Return a field for each text; what is one already stays."""
    return tuple(text if isinstance(text, Field) else Field(text) for text in texts)


def noted(title: str, texts: Iterable[str]) -> Notes:
    """Return a list of sentences."""
    return Notes(title, tuple(NoteItem(text) for text in texts))


def filled(*blocks: Block) -> tuple[Block, ...]:
    """Return the blocks that are not empty."""
    return tuple(block for block in blocks if not _empty(block))


def _empty(block: Block) -> bool:
    if isinstance(block, Table):
        return not block.rows and not block.caption
    return isinstance(block, Notes) and not block.items
