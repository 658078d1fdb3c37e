"""A document on the terminal: title, the tables that have brief headings, and a last line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table as RichTable
from rich.text import Text

from harness.errors import printable
from harness.reports.document import Document, Field, Table


class Terminal(Console):
    """Where commands print: texts are shown letter by letter, whatever a terminal would make of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as rich prints it, without the letters that rich would drop."""
        return super().render_str(_lines(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield what a terminal is sent: its own commands as they are, and texts without any."""
        for segment in super().render(renderable, options):
            shown = segment.control or segment.text == "\n"
            yield segment if shown else Segment(_lines(segment.text), segment.style)


def render_terminal(document: Document) -> RenderableType:
    """Return a rendering for `rich` that fits a terminal of 80 columns."""
    tables = [block for block in document.blocks if isinstance(block, Table)]
    shown = [_table(table) for table in tables if any(column.brief is not None for column in table.columns)]
    title, last = printable(document.title), printable(document.last)
    return Group(Text(title, style="bold"), *shown, Text(last, style="dim"))


def _table(table: Table) -> RichTable:
    """Return the columns that have a brief heading, without their groups."""
    shown = [place for place, column in enumerate(table.columns) if column.brief is not None]
    table_view = RichTable(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for place in shown:
        column = table.columns[place]
        heading = Text(_lines(column.brief or ""))  # some headings have two lines of their own
        table_view.add_column(heading, justify="left" if column.names else "right")
    for row in table.rows:
        table_view.add_row(*(_text(row[place]) for place in shown))
    return table_view


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def _text(field: Field) -> Text:
    style = "bold" if field.strong else "" if field.state == "figure" else "dim"
    return Text(printable(field.text), style=style)
