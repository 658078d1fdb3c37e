"""A document on the terminal: title, the tables that have brief headings, and a last line."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from harness.reports.document import Document, Field, Table


def render_terminal(document: Document) -> RenderableType:
    """Return a rendering for `rich` that fits a terminal of 80 columns."""
    tables = [block for block in document.blocks if isinstance(block, Table)]
    shown = [_table(table) for table in tables if any(column.brief is not None for column in table.columns)]
    return Group(Text(document.title, style="bold"), *shown, Text(document.last, style="dim"))


def _table(table: Table) -> RichTable:
    """Return the columns that have a brief heading, without their groups."""
    shown = [place for place, column in enumerate(table.columns) if column.brief is not None]
    table_view = RichTable(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for place in shown:
        column = table.columns[place]
        table_view.add_column(column.brief or "", justify="left" if column.names else "right")
    for row in table.rows:
        table_view.add_row(*(_text(row[place]) for place in shown))
    return table_view


def _text(field: Field) -> Text:
    return Text(field.text, style="bold" if field.strong else "" if field.state == "figure" else "dim")
