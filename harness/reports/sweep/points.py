"""What table, figure and data read from the cells of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from harness.reports.text import Cells, Style, column_style

Point = Mapping[str, Any]
INTERVALS = {"checkpoints": "these checkpoints", "method": "the method"}


def points_of(cells: Cells, row: str) -> list[Point]:
    """Return the points of a row, in the order of its values."""
    return [point for point in cells["points"] if point["row"] == row]


def style_of(cells: Cells, position: int) -> Style:
    """Return the style of a column."""
    return column_style({**cells, "rows": cells["points"]}, position)


def shown_interval(cells: Cells) -> Literal["method", "checkpoints"]:
    """Return the kind of interval that is shown: of the method, where there are several seeds."""
    return "method" if len(cells["seeds"]) > 1 else "checkpoints"
