"""A document as Markdown, readable as plain text."""

from __future__ import annotations

from tabulate import tabulate

from harness.reports.document import Block, Document, Field, Figure, NoteItem, Notes, Table


def render_markdown(document: Document) -> str:
    """Return the whole report as Markdown; figures are linked as bitmaps."""
    parts = [f"# {document.title}", *document.introduction, *(_block(block) for block in document.blocks)]
    return "\n\n".join(parts) + "\n"


def pipe_table(table: Table) -> str:
    """Return the rows of a table as a pipe table, with both headings of a column on one line."""
    align = ["left" if column.names else "right" for column in table.columns]
    headers = [_escape(column.heading) for column in table.columns]
    rows = [[_field(field) for field in row] for row in table.rows]
    return tabulate(rows, headers, tablefmt="pipe", colalign=align, disable_numparse=True)


def _block(block: Block) -> str:
    if isinstance(block, Figure):
        return f"![{block.alt}]({block.name}.png)"
    if isinstance(block, Notes):
        return f"## {block.title}\n\n" + "\n".join(f"- {_note(note)}" for note in block.items)
    heading = f"## {block.title}" if block.title else ""
    rows = pipe_table(block) if block.rows else ""
    return "\n\n".join(part for part in (heading, block.caption, rows, "\\\n".join(block.notes)) if part)


def _note(note: NoteItem) -> str:
    return f"**{note.term}**: {note.text}" if note.term else note.text


def _field(field: Field) -> str:
    text = _escape(field.text) + field.mark
    return f"**{text}**" if field.strong else text


def _escape(text: str) -> str:
    """Escape pipes, which would end a cell."""
    return text.replace("|", "\\|")
