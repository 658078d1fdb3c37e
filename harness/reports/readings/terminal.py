"""The shares of a specification curve, for the console."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.reports.footnotes import ONE_SEED, made_on
from harness.reports.readings.pairs import INTERVALS
from harness.reports.text import Cells, unit_style


def render_readings_terminal(cells: Cells) -> RenderableType:
    """Return how the differences of the focus to each other row lie, for `rich`."""
    heading = Text(f"{cells['target']}: {cells['title']}", style="bold")
    style = unit_style(cells)
    table = Table(f"{cells['focus']} minus", box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for header in ("above 0", "interval above", "interval below", "median", "lowest", "highest"):
        table.add_column(header, justify="right")
    for found in cells["summary"]:
        counts = [
            f"{found[key]} of {found['pairs']}" for key in ("above", "interval_above", "interval_below")
        ]
        numbers = [style.number(found[key], signed=True) for key in ("median", "low", "high")]
        table.add_row(*(Text(text) for text in (found["row"], *counts, *numbers)))
    return Group(heading, table, Text(_last_line(cells), style="dim"))


def _last_line(cells: Cells) -> str:
    """What the intervals are, where it was made and what it is worth."""
    kinds = {found["interval"] for found in cells["summary"]}
    named = "".join(f"intervals: {cells['level'] * 100:g} %, {INTERVALS[kind]}; " for kind in sorted(kinds))
    one = f" {ONE_SEED}" if len(cells["seeds"]) == 1 else ""
    return f"{cells['primary']} on {made_on(cells)}; {named}verdict: {cells['verdict']}.{one}"
