"""The short table for the console; fits 80 columns for three printed measures."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.reports.comparison.judgement import row_lines
from harness.reports.footnotes import ONE_SEED
from harness.reports.text import (
    NOTHING,
    Cells,
    collection_text,
    column_style,
    compared_rows,
    positions,
    published_text,
    reproduced_text,
    row_text,
    verdict_text,
)


def render_terminal(cells: Cells) -> RenderableType:
    """Return the printed columns, and the differences to the baseline on the primary one, for `rich`."""
    heading = Text(f"{cells['target']}: {cells['title']}", style="bold")
    said = [Text(line) for line in row_lines(cells)]
    return Group(heading, _figures(cells), _differences(cells), *said, Text(_last_line(cells), style="dim"))


def _figures(cells: Cells) -> Table:
    """Published figures ("paper") beside reproduced ones ("here")."""
    shown = positions(cells, published=True) or positions(cells, published=False)
    table = Table("", box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for position in shown:
        column = cells["columns"][position]
        if column["published"]:
            table.add_column("\npaper", justify="right", style="dim")
        table.add_column(f"{column['label']}\nhere", justify="right")
    for row in cells["rows"]:
        line = [row["name"] if row["name"] == cells["baseline"] else row_text(cells, row)]
        for position in shown:
            cell = row["cells"][position]
            line += [published_text(cell)] * cells["columns"][position]["published"]
            line.append(reproduced_text(cell, column_style(cells, position)))
        table.add_row(*(Text(text) for text in line))
    return table


def _differences(cells: Cells) -> Table:
    """Differences to the baseline in the primary measure, with the interval that says most."""
    kind = "method" if len(cells["seeds"]) > 1 else "checkpoints"
    named = {"method": "the method", "checkpoints": "these checkpoints"}[kind]
    primary = [column["label"] for column in cells["columns"]].index(cells["primary"])
    style = column_style(cells, primary)
    table = Table(f"{cells['primary']}, to {cells['baseline']}", box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    publishing = bool(positions(cells, published=True))
    for header in (*["paper"] * publishing, "here", f"{cells['level'] * 100:g} %, {named}"):
        table.add_column(header, justify="right")
    for row in compared_rows(cells, primary):
        block = row["cells"][primary]["difference"]
        printed = block["published"]
        line = [
            row_text(cells, row),
            *[style.number(printed["value"], signed=True) if printed else NOTHING] * publishing,
            style.number(block["value"], signed=True),
            style.interval(block[kind]),
        ]
        table.add_row(*(Text(text) for text in line))
    return table


def _last_line(cells: Cells) -> str:
    """Where it was made and what it is worth."""
    seeds = len(cells["seeds"])
    where = f"{collection_text(cells)}, {cells['scale']} scale, {seeds} seed{'s' if seeds > 1 else ''}"
    return f"{where}; verdict: {verdict_text(cells['verdict'])}.{f' {ONE_SEED}' if seeds == 1 else ''}"
