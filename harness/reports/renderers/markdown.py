"""A document as Markdown, readable as plain text."""

from __future__ import annotations

import re
import string

from tabulate import tabulate

from harness.errors import printable
from harness.reports.document import Block, Document, Field, Figure, NoteItem, Notes, Table

CODE = re.compile(r"(?<![`\\])(`[^`]+`)(?!`)")
"""What stands between two single backticks is code, in sentences of ours; all other backticks are letters."""

MARKUP = re.compile(
    rf"\\(?=[{re.escape(string.punctuation)}]|$)"  # an escape
    r"|`|(?<=.)\*|\*(?!: )|~~|<(?=[A-Za-z/!?])|&(?=#?\w+;)|(?<=\])[(\[:]"
)
EMPHASIS = re.compile(r"(?<!\w)_+(?=\S).*\S_(?!\w)")
START = re.compile(r"^\s*(?:(?=[#>=]|[-+](?:\s|$)|---)|(\d{1,9})(?=[.)](?:\s|$)))")
"""The start of a line that would be a heading, a quotation, a rule or an item, up to what makes it one."""


def render_markdown(document: Document) -> str:
    """Return the whole report as Markdown; figures are linked as bitmaps."""
    title = re.sub(r"(?=#+\s*$)", r"\\", escape(document.title), count=1)  # else they would end the heading
    parts = [f"# {title}", *map(_sentence, document.introduction), *map(_block, document.blocks)]
    return "\n\n".join(parts) + "\n"


def pipe_table(table: Table) -> str:
    """Return the rows of a table as a pipe table, with both headings of a column on one line."""
    align = ["left" if column.names else "right" for column in table.columns]
    headers = [_cell(column.heading) for column in table.columns]
    rows = [[_field(field) for field in row] for row in table.rows]
    return tabulate(rows, headers, tablefmt="pipe", colalign=align, disable_numparse=True)


def escape(text: str) -> str:
    """Return a text on one line that Markdown shows letter by letter, apart from code between backticks."""
    parts = CODE.split(printable(text))
    return "".join(part if place % 2 else _literal(part) for place, part in enumerate(parts))


def _literal(text: str) -> str:
    text = MARKUP.sub(r"\\\g<0>", text)
    return text.replace("_", r"\_") if EMPHASIS.search(text) else text


def _block(block: Block) -> str:
    if isinstance(block, Figure):
        alt = re.sub(r"(?<!\\)[\[\]]", r"\\\g<0>", escape(block.alt))
        return f"![{alt}]({block.name}.png)"
    if isinstance(block, Notes):
        return f"## {escape(block.title)}\n\n" + "\n".join(f"- {_note(note)}" for note in block.items)
    heading = f"## {escape(block.title)}" if block.title else ""
    rows = pipe_table(block) if block.rows else ""
    caption = _sentence(block.caption)
    notes = "\\\n".join(map(_sentence, block.notes))
    return "\n\n".join(part for part in (heading, caption, rows, notes) if part)


def _sentence(text: str) -> str:
    """Return a text that begins a line."""
    return START.sub(r"\1\\", escape(text))


def _note(note: NoteItem) -> str:
    return f"**{escape(note.term)}**: {escape(note.text)}" if note.term else _sentence(note.text)


def _field(field: Field) -> str:
    text = _cell(field.text) + field.mark
    return f"**{text}**" if field.strong else text


def _cell(text: str) -> str:
    """Return a text in which no pipe ends the cell."""
    return escape(text).replace("|", "\\|")
