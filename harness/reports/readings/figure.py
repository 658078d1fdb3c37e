"""The figure of a specification curve, one block for each row compared with.

The upper panel shows the sorted differences with their intervals. The lower panel marks, in the same order,
the value of each path in each specification (Simonsohn, Simmons and Nelson 2020, figure 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.reports.content import IntervalKind
from harness.reports.drawing import INK, OKABE_ITO, describe, few_ticks, figure_to
from harness.reports.footnotes import made_on
from harness.reports.readings.cells import (
    ReadingPair,
    ReadingsCells,
    compared_row_names,
    few_seeds,
    interval_of,
    sorted_pairs,
    values_of_pair,
)
from harness.reports.text import INTERVALS, points_text, title_text, unit_style
from harness.specs.sampler_paths import short_names, value_text

CURVE, LINE, BLOCK_MARGIN = 1.9, 0.17, 0.85
"""Heights in inches: a curve, a line of its matrix, titles and axes around each block."""

COVERS = "covers 0"

SIDES = (
    ("above 0", OKABE_ITO[0], "^"),
    ("below 0", OKABE_ITO[1], "v"),
    (COVERS, "#777777", "o"),
)
"""Position of an interval relative to 0, with its colour and marker."""


def draw_readings(cells: ReadingsCells, svg: Path, png: Path) -> None:
    """Draw a curve and its matrix for each row compared with; equal cells yield identical files.

    Args:
        cells: parsed `cells.json`.
        svg: path of the vector figure to write.
        png: path of the bitmap to write, 150 dots per inch.
    """
    blocks = [(row, sorted_pairs(cells, row)) for row in compared_row_names(cells)]
    lines = [_lines(cells, pairs) for _, pairs in blocks]
    heights = [height for block_lines in lines for height in (CURVE, LINE * (len(block_lines) + 1))]
    total = sum(heights) + BLOCK_MARGIN * (len(blocks) + 1)
    with figure_to(svg, png, 9.6, total) as figure:
        describe(figure, title_text(cells), _legend(cells))
        if not blocks:
            return
        axes = list(figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0])
        for place, (row, pairs) in enumerate(blocks):
            _draw_curve(axes[2 * place], cells, row, pairs)
            _draw_matrix(axes[2 * place + 1], cells, pairs, lines[place])


def _draw_curve(axis: Axes, cells: ReadingsCells, row: str, pairs: Sequence[ReadingPair]) -> None:
    """Draw the sorted differences; colour and marker show the position of each interval."""
    factor = unit_style(cells.unit).factor
    kind = next(summary.interval for summary in cells.summary if summary.row == row)
    width, size = _between(0.5, 200 / len(pairs), 2.2), _between(1.6, 320 / len(pairs), 4.5)
    for where, colour, marker in SIDES:
        side_pairs = [
            (place, pair) for place, pair in enumerate(pairs, start=1) if _side(pair, kind) == where
        ]
        places, label = [place for place, _ in side_pairs], f"interval {where} ({len(side_pairs)})"
        low = [interval_of(pair, kind).low * factor for _, pair in side_pairs]
        high = [interval_of(pair, kind).high * factor for _, pair in side_pairs]
        values = [pair.value * factor for _, pair in side_pairs]
        look: dict[str, Any] = {"color": colour, "label": label, "markersize": size}
        if where != COVERS:  # few among many, to be found in grey, too
            look |= {
                "markersize": max(size, 5),
                "markeredgecolor": "black",
                "markeredgewidth": 0.5,
                "zorder": 4,
            }
        axis.vlines(places, low, high, color=colour, linewidth=width, alpha=0.5 if where == COVERS else 1)
        axis.plot(places, values, marker, **{"zorder": 3, **look})
    axis.axhline(0, color=INK, linewidth=0.9, zorder=1)
    axis.set_ylim(*_limits(pairs, kind, factor))
    axis.set_xlim(0.3, len(pairs) + 0.7)
    axis.grid(axis="y")
    axis.grid(visible=False, axis="x")
    axis.set_ylabel(f"difference in\n{cells.primary} ({points_text(cells.unit)})")
    few_ticks(axis.yaxis)
    axis.set_title(f"{cells.focus} minus {row}", loc="left")
    plain: dict[str, Any] = {"frameon": False, "borderpad": 0, "handletextpad": 0.1, "columnspacing": 1.2}
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), fontsize=7.5, ncols=3, **plain)
    axis.tick_params(bottom=False, labelbottom=False)


def _limits(pairs: Sequence[ReadingPair], kind: IntervalKind, factor: float) -> tuple[float, float]:
    """Return axis limits that include all differences, but not the ends of the few widest intervals."""
    reach = 2 * median((interval_of(pair, kind).high - interval_of(pair, kind).low) / 2 for pair in pairs)
    values = [pair.value for pair in pairs]
    low = max(min(values) - reach, min(interval_of(pair, kind).low for pair in pairs))
    high = min(max(values) + reach, max(interval_of(pair, kind).high for pair in pairs))
    margin = 0.06 * (max(high, 0) - min(low, 0)) or 0.01
    return (min(low, 0) - margin) * factor, (max(high, 0) + margin) * factor


def _draw_matrix(
    axis: Axes, cells: ReadingsCells, pairs: Sequence[ReadingPair], lines: Sequence[tuple[str, str]]
) -> None:
    """Draw a tick for each value of each specification; the lines of a path share a background."""
    names = short_names(path for path, _ in lines)
    readings = [
        {
            path: [value_text(value) for value in values]
            for path, values in values_of_pair(cells, pair).items()
        }
        for pair in pairs
    ]
    for path in dict.fromkeys(path for path, _ in lines):
        places = [place for place, line in enumerate(lines) if line[0] == path]
        shade = "#F2F2F2" if list(names).index(path) % 2 == 0 else "white"
        axis.axhspan(places[0] - 0.5, places[-1] + 0.5, color=shade, linewidth=0, zorder=0)
    for place, (path, value) in enumerate(lines):
        numbers = [number for number, reading in enumerate(readings, start=1) if value in reading[path]]
        axis.vlines(numbers, place - 0.36, place + 0.36, color=INK, linewidth=min(3.0, 330 / len(pairs)))
    axis.set_yticks(range(len(lines)), [f"{names[path]}  {value}" for path, value in lines])
    axis.set_ylim(len(lines) - 0.5, -0.5)
    axis.grid(visible=False)
    axis.set_xlim(0.3, len(pairs) + 0.7)
    axis.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axis.set_xlabel(f"specifications, sorted by difference ({len(pairs)})")


def _lines(cells: ReadingsCells, pairs: Sequence[ReadingPair]) -> list[tuple[str, str]]:
    """Return path and value of each line of a matrix, in the order of the target."""
    readings = [values_of_pair(cells, pair) for pair in pairs]
    order = [reading.reading for reading in cells.readings]
    return [
        (path, value_text(value))
        for path in (readings[0] if readings else ())
        for value in dict.fromkeys(reading[path] for reading in order if path in reading)
        if any(value in reading[path] for reading in readings)
    ]


def _between(low: float, value: float, high: float) -> float:
    """Return the value, clipped to a range."""
    return min(high, max(low, value))


def _side(pair: ReadingPair, kind: IntervalKind) -> str:
    """Return the position of a pair's interval relative to 0."""
    above, below, across = (where for where, _, _ in SIDES)
    return above if interval_of(pair, kind).low > 0 else below if interval_of(pair, kind).high < 0 else across


def _legend(cells: ReadingsCells) -> str:
    kinds = sorted({summary.interval for summary in cells.summary})
    names = " and ".join(INTERVALS[kind] for kind in kinds) or "nothing compared"
    return (
        f"Results on {made_on(cells)}. Bars: {cells.level * 100:g} % CI {names}, unadjusted; the widest "
        "exceed the panel.\n"
        "Each block is sorted separately. Readings are choices, not a sample: counts are not probabilities."
        f"{few_seeds(cells)}"
    )
