"""The figure of a sweep: a line for each row; published figures have their own panel and axis."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.reports.cost.seconds import PARTS, hardware_text
from harness.reports.drawing import describe, figure_to, line_look
from harness.reports.sweep.cells import points_of, style_of
from harness.reports.text import Cells, collection_text, dataset_text, row_text, title_text, unit_text
from harness.specs.sampler_paths import value_text

POINT_SHIFT = 0.012
"""Horizontal offset between the points of successive rows, as a share of the axis, to separate bars."""


def draw_sweep(cells: Cells, svg: Path, png: Path) -> None:
    """Draw all columns, with published figures if any; equal cells yield identical files.

    Args:
        cells: parsed `cells.json`.
        svg: path of the vector figure to write.
        png: path of the bitmap to write, 150 dots per inch.
    """
    printed = any(cell["published"] for point in cells["points"] for cell in point["cells"])
    panels = [*range(len(cells["columns"])), *range(-len(cells["costs"]), 0)]
    with figure_to(svg, png, 9.6, 2.5 * len(panels) + 1.0) as figure:
        describe(figure, title_text(cells), _legend(cells))
        axes = figure.subplots(len(panels), 1 + printed, squeeze=False)
        for position, line in zip(panels, axes, strict=True):
            for axis, side in zip(line, ("published", "reproduced")[not printed :], strict=True):
                _draw_panel(axis, cells, position, side)
        look: dict[str, Any] = {"frameon": False, "borderpad": 0, "columnspacing": 1.2}
        axes[0][-1].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, **look)


def _draw_panel(axis: Axes, cells: Cells, position: int, side: str) -> None:
    """Draw a line for each row; negative positions count costs from their end."""
    column = cells["columns"][position] if position >= 0 else cells["costs"][position]
    factor = style_of(cells, position).factor if position >= 0 else PARTS[column["unit"]]
    places = _places(cells)
    span = max(places.values()) - min(places.values()) or 1.0
    for number, row in enumerate(cells["rows"]):
        look = line_look(number)
        blocks = _blocks(cells, row["name"], position, side)
        shift = span * POINT_SHIFT * (number - (len(cells["rows"]) - 1) / 2) if side == "reproduced" else 0.0
        at = [places[value_text(place)] + shift for place, _ in blocks]
        values = [_middle(block) * factor for _, block in blocks]
        axis.plot(at, values, label=row_text(cells, row), **look)
        for place, (_, block) in zip(at, blocks, strict=True):
            for ends, width in _bars(block):
                bar = [end * factor for end in ends]
                axis.plot([place] * 2, bar, color=look["color"], lw=width, solid_capstyle="butt", alpha=0.55)
    axis.set_xticks(list(places.values()), list(places))
    axis.set_xlabel(cells["parameter"])
    axis.set_ylabel(f"{column['label']} ({column.get('unit') or unit_text(cells)})")
    axis.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.grid(axis="y")
    if position == 0:
        on = dataset_text(column) if side == "published" else collection_text(cells)
        axis.set_title(f"{side}, {on}", loc="left")


def _blocks(cells: Cells, row: str, position: int, side: str) -> list[tuple[Any, Mapping[str, Any]]]:
    """Return the parameter values of a row that have a figure, each with its block."""
    kind = "cells" if position >= 0 else "costs"
    blocks = [(point["at"], point[kind][position][side]) for point in points_of(cells, row)]
    return [(at, block) for at, block in blocks if block]


def _middle(block: Mapping[str, Any]) -> float:
    """Return the mean of a measure, the median of seconds, or a published value."""
    return next(float(block[key]) for key in ("mean", "median", "value") if key in block)


def _bars(block: Mapping[str, Any]) -> list[tuple[list[float], float]]:
    """Return ends and line widths of the bars: thin for the method, thick for checkpoints and quartiles."""
    intervals = [(block.get("method"), 1.1), (block.get("checkpoints"), 3.2), (block, 3.2)]
    whole = [
        (interval, width) for interval, width in intervals if interval and interval.get("low") is not None
    ]
    return [([interval["low"], interval["high"]], width) for interval, width in whole]


def _places(cells: Cells) -> dict[str, float]:
    """Return the position of each value on the axis: the value itself if all are numbers, else its index."""
    values = list(dict.fromkeys(point["at"] for point in cells["points"]))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if numbers:
        return {value_text(value): float(value) for value in sorted(values)}
    return {value_text(value): float(place) for place, value in enumerate(values)}


def _legend(cells: Cells) -> str:
    level, seeds = f"{cells['level'] * 100:g} %", len(cells["seeds"])
    machine = hardware_text(cells["hardware"])
    seconds = f" Seconds on {machine}; bars: quartiles over runs." if cells["costs"] else ""
    if seeds == 1:
        bars = f"One seed. Bars: {level} CI of the mean over queries, not over seeds."
        return bars + seconds
    return (
        f"Mean of {seeds} seeds. Bars: {level} CI of the mean, thick over queries, thin over queries and "
        f"seeds.\nPoints share base runs and queries; their differences are more precise.{seconds}"
    )
