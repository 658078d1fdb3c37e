"""The figure of a comparison: published and reproduced figures side by side, never on one axis.

Published figures are of another collection than ours, so each side has its own panel and axis; rows keep
their order and marker. Methods are compared in the third panel, which shows paired differences from the
baseline.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from harness.evaluation.published import published_interval
from harness.reports.comparison.content import ComparedRow, ComparisonCells
from harness.reports.content import Ends, Intervals
from harness.reports.drawing import INK, MARKERS, OKABE_ITO, describe, few_ticks, figure_to
from harness.reports.text import (
    Bounded,
    collection_text,
    column_style,
    cut,
    reproduced_field,
    row_text,
    title_text,
    unit_text,
)

THIN, THICK = 1.1, 3.2
"""Widths of the bars of the method and of these checkpoints, in points."""

Bars = Sequence[tuple[Bounded, float]]
"""Intervals, and the widths of their lines."""

QUOTED = "published"
"""Kind of rows that are quoted alone."""

HOLLOW = ("reference", "evaluated")
"""Kinds of rows that are measured beside those that are compared."""


def draw_comparison(cells: ComparisonCells, svg: Path, png: Path) -> None:
    """Draw the printed columns: published (if any), reproduced, difference from the baseline.

    Bars: thick for these checkpoints, thin for the method. Rows that are quoted alone stand in the table, not
    here. Equal cells yield identical files.

    Args:
        cells: parsed `cells.json`.
        svg: path of the vector figure to write.
        png: path of the bitmap to write, 150 dots per inch.
    """
    made = [row for row in cells.rows if row.kind != QUOTED]
    quoted = len(cells.rows) - len(made) if made else 0
    cells = cells.model_copy(update={"rows": made or cells.rows})
    shown = cells.places(published=True) or cells.places(published=False)
    # Rows of panels are as tall as their rows of data; the rest is for titles and axes.
    height = (0.24 * len(cells.rows) + 0.75) * len(shown) + 1.05
    with figure_to(svg, png, 9.6, height) as figure:
        widths = (1, 1.15, 1.15)[0 if cells.places(published=True) else 1 :]
        axes = figure.subplots(len(shown), len(widths), squeeze=False, sharey=True, width_ratios=widths)
        datasets = [cells.columns[position].dataset for position in shown]
        for place, (line, position) in enumerate(zip(axes, shown, strict=True)):
            first = place == 0 or datasets[place] != datasets[place - 1]
            _draw_line(list(line), cells, position, first=first)
        describe(figure, title_text(cells), _legend(cells, quoted))


def _draw_line(axes: list[Axes], cells: ComparisonCells, position: int, *, first: bool) -> None:
    """One column of the table: panels that share their rows; the first of a dataset says what they are."""
    *printed, reproduced, difference = axes
    column, style = cells.columns[position], column_style(cells.unit, cells.rows, position)
    for place, row in enumerate(cells.rows):
        look = _look(cells, row, place)
        cell = row.cells[position]
        if cell.published and printed:
            rounding = Ends.model_validate(published_interval(cell.published.as_json()))
            _point(printed[0], [(rounding, THIN)], cell.published.value, place, style.factor, look)
        if cell.reproduced:
            bars = _bars(cell.reproduced, signed=False)
            _point(reproduced, bars, cell.reproduced.mean, place, style.factor, look)
        elif (field := reproduced_field(cell, style)).state != "figure":
            along = reproduced.get_yaxis_transform()
            reproduced.text(0.02, place, field.text, transform=along, va="center", color=INK)
        block = cells.difference(row, position)
        if block and block.value is not None:
            _point(difference, _bars(block, signed=True), block.value, place, style.factor, look)
    difference.axvline(0, color=INK, linewidth=0.9, zorder=1)
    unit = unit_text(cells.unit)
    for axis in (*printed, reproduced):
        axis.set_xlabel(f"{column.label} ({unit})")
    points = "percentage points" if unit == "%" else unit
    label = f"difference in {column.label} ({points})"
    if cells.collections:  # labels are long with a dataset's title
        label = f"{column.label} ({points.removeprefix('percentage ')})"
    difference.set_xlabel(label)
    for axis in axes:
        few_ticks(axis.xaxis)
        axis.margins(x=0.12)
    axes[0].set_yticks(range(len(cells.rows)), [row_text(cells, row) for row in cells.rows])
    axes[0].set_ylim(len(cells.rows) - 0.4, -0.6)  # the first row on top
    if first:
        for axis in printed:
            axis.set_title(f"published, {column.dataset_title}", loc="left")
        reproduced.set_title(f"reproduced, {collection_text(cells, column.dataset)}", loc="left")
        difference.set_title(f"reproduced, minus {cells.against}", loc="left")


def _look(cells: ComparisonCells, row: ComparedRow, place: int) -> dict[str, Any]:
    """Return colour and marker of a row; reference and evaluated rows are hollow and grey."""
    reference = row.kind in HOLLOW
    place_in_colours = [r.name for r in cells.rows if r.kind not in HOLLOW]
    colour = "#777777" if reference else OKABE_ITO[place_in_colours.index(row.name) % len(OKABE_ITO)]
    return {
        "color": colour,
        "marker": MARKERS[place % len(MARKERS)],
        "markersize": 6,
        "markerfacecolor": "white" if reference else colour,
        "markeredgecolor": colour if reference else "black",
        "markeredgewidth": 0.9 if reference else 0.5,
        "linestyle": "none",
        "zorder": 3,
    }


def _bars(block: Intervals, *, signed: bool) -> Bars:
    """Return the intervals that there are, each with the width of its line."""
    return [
        (Ends(low=cut(of.low, signed=signed), high=cut(of.high, signed=signed)), width)
        for of, width in ((block.method, THIN), (block.checkpoints, THICK))
        if of
    ]


def _point(axis: Axes, bars: Bars, mean: float, place: int, factor: float, look: Any) -> None:
    """Draw a mean with its intervals."""
    for interval, width in bars:
        if interval.low is not None and interval.high is not None:
            ends = [interval.low * factor, interval.high * factor]
            axis.plot(ends, [place] * 2, color=look["color"], lw=width, solid_capstyle="butt", zorder=2)
    axis.plot(mean * factor, place, **look)


def _legend(cells: ComparisonCells, quoted: int) -> str:
    level, seeds = f"{cells.level * 100:g} %", len(cells.seeds)
    if seeds == 1:
        bars = f"One seed. Bars: {level} CI over queries, not over seeds."
    else:
        bars = f"Mean of {seeds} seeds. Bars: {level} CI, thick over queries, thin over queries and seeds."
    published = "Bars of published figures: range implied by rounding. "
    bars = f"{bars}\n{published if cells.places(published=True) else ''}"
    left_out = (
        f"\nRows that are quoted alone, {quoted} of {quoted + len(cells.rows)}, stand in the table."
        if quoted
        else ""
    )
    return f"{bars}Each panel has its own axis. Compare methods in the last column only (paired).{left_out}"
