"""The coverage of a calibration, for the console."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.reports.calibration.intervals import kinds
from harness.reports.footnotes import made_on
from harness.reports.text import Cells


def render_calibration_terminal(cells: Cells) -> RenderableType:
    """Return how many intervals of each kind cover 0, for `rich`."""
    heading = Text(f"{cells['target']}: {cells['title']}", style="bold")
    level = f"{cells['level'] * 100:g} %"
    table = Table("interval", box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for header in ("covers 0", "nominal", f"{level} interval of the coverage"):
        table.add_column(header, justify="right")
    for kind, name in kinds(cells).items():
        found = cells["coverage"][kind]
        around = f"[{100 * found['low']:.1f} %, {100 * found['high']:.1f} %]"
        covered = f"{found['covered']} of {found['intervals']}"
        table.add_row(*(Text(text) for text in (name, covered, level, around)))
    last = f"{cells['primary']} on {made_on(cells)}; verdict: {cells['verdict']}."
    return Group(heading, table, Text(last, style="dim"))
