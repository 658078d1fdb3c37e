"""The figure of a sweep: a line for each row; published figures have their own panel and axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.reports.content import Reproduced, Seconds
from harness.reports.cost.seconds import PARTS, hardware_text
from harness.reports.drawing import describe, figure_to, legend_label, line_look
from harness.reports.sweep.cells import SweepCells, points_of, style_of
from harness.reports.text import collection_text, row_text, title_text, unit_text
from harness.specs.sampler_paths import value_text

POINT_SHIFT = 0.012
"""Horizontal offset between the points of successive rows, as a share of the axis, to separate bars."""


def draw_sweep(cells: SweepCells, svg: Path, png: Path) -> None:
    """Draw all columns, with published figures if any; equal cells yield identical files.

    Args:
        cells: parsed `cells.json`.
        svg: path of the vector figure to write.
        png: path of the bitmap to write, 150 dots per inch.
    """
    printed = any(cell.published for point in cells.points for cell in point.cells)
    panels = [*range(len(cells.columns)), *range(-len(cells.costs), 0)]
    with figure_to(svg, png, 9.6, 2.5 * len(panels) + 1.0) as figure:
        describe(figure, title_text(cells), _legend(cells))
        axes = figure.subplots(len(panels), 1 + printed, squeeze=False)
        for position, line in zip(panels, axes, strict=True):
            for axis, side in zip(line, ("published", "reproduced")[not printed :], strict=True):
                _draw_panel(axis, cells, position, side)
        look: dict[str, Any] = {"frameon": False, "borderpad": 0, "columnspacing": 1.2}
        axes[0][-1].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, **look)


def _draw_panel(axis: Axes, cells: SweepCells, position: int, side: str) -> None:
    """Draw a line for each row; negative positions count costs from their end."""
    places, factor = _places(cells), _factor(cells, position)
    span = max(places.values()) - min(places.values()) or 1.0
    for number, row in enumerate(cells.rows):
        look = line_look(number)
        drawn = _drawn(cells, row.name, position, side)
        shift = span * POINT_SHIFT * (number - (len(cells.rows) - 1) / 2) if side == "reproduced" else 0.0
        at = [places[value_text(place)] + shift for place, *_ in drawn]
        axis.plot(
            at, [value * factor for _, value, _ in drawn], label=legend_label(row_text(cells, row)), **look
        )
        for place, (_, _, bars) in zip(at, drawn, strict=True):
            for low, high, width in bars:
                bar = [low * factor, high * factor]
                axis.plot([place] * 2, bar, color=look["color"], lw=width, solid_capstyle="butt", alpha=0.55)
    axis.set_xticks(list(places.values()), list(places))
    axis.set_xlabel(cells.parameter)
    axis.set_ylabel(_label(cells, position))
    axis.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.grid(axis="y")
    if position == 0:
        on = cells.columns[0].dataset_title if side == "published" else collection_text(cells)
        axis.set_title(f"{side}, {on}", loc="left")


def _factor(cells: SweepCells, position: int) -> float:
    return style_of(cells, position).factor if position >= 0 else PARTS[cells.costs[position].unit]


def _label(cells: SweepCells, position: int) -> str:
    """Return what an axis shows, with its unit."""
    if position >= 0:
        return f"{cells.columns[position].label} ({unit_text(cells.unit)})"
    return f"{cells.costs[position].label} ({cells.costs[position].unit})"


Drawn = tuple[Any, float, list[tuple[float, float, float]]]
"""A value of the parameter, its figure, and the bars around it: low, high, width of the line."""


def _drawn(cells: SweepCells, row: str, position: int, side: str) -> list[Drawn]:
    """Return what is drawn of a row, for each value of the parameter that has a figure."""
    drawn: list[Drawn] = []
    for point in points_of(cells, row):
        cell = point.cells[position] if position >= 0 else point.costs[position]
        block = cell.reproduced
        if side == "published":
            drawn += [(point.at, cell.published.value, [])] if cell.published else []
        elif isinstance(block, Reproduced):
            ends = [(block.method, 1.1), (block.checkpoints, 3.2)]
            shown = [(max(of.low, 0.0), min(of.high, 1.0), width) for of, width in ends if of]
            drawn.append((point.at, block.mean, shown))
        elif isinstance(block, Seconds):
            bars = [] if block.low is None or block.high is None else [(block.low, block.high, 3.2)]
            drawn.append((point.at, block.median, bars))
    return drawn


def _places(cells: SweepCells) -> dict[str, float]:
    """Return the position of each value on the axis: the value itself if all are numbers, else its index."""
    values = list(dict.fromkeys(point.at for point in cells.points))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if numbers:
        return {value_text(value): float(value) for value in sorted(values)}
    return {value_text(value): float(place) for place, value in enumerate(values)}


def _legend(cells: SweepCells) -> str:
    level, seeds = f"{cells.level * 100:g} %", len(cells.seeds)
    machine = hardware_text(cells.hardware)
    seconds = f" Seconds on {machine}; bars: quartiles over runs." if cells.costs else ""
    if seeds == 1:
        bars = f"One seed. Bars: {level} CI of the mean over queries, not over seeds."
        return bars + seconds
    return (
        f"Mean of {seeds} seeds. Bars: {level} CI of the mean, thick over queries, thin over queries and "
        f"seeds.\nPoints share base runs and queries; their differences are more precise.{seconds}"
    )
