"""The figure of a sweep: a line for each row over the parameter; published has its own panel and axis."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.reports.drawing import INK, MARKERS, OKABE_ITO, figure_to
from harness.reports.sweep.points import INTERVALS, points_of, shown_interval, style_of
from harness.reports.text import Cells, collection_text, dataset_text, row_text, title_text, unit_text
from harness.specs.expansion import value_text

LINES = ("-", "--", "-.", ":")
"""One a row, so that lines stay apart in grey."""

APART = 0.012
"""Shift of a row's points against the one before, as a share of the axis: bars do not cover each other."""


def draw_sweep(cells: Cells, svg: Path, png: Path) -> None:
    """Draw every column, published where there are such figures; the same cells give the same bytes.

    Args:
        cells: content of `cells.json`.
        svg: where to write the vector figure.
        png: where to write the bitmap.
    """
    printed = any(cell["published"] for point in cells["points"] for cell in point["cells"])
    count = len(cells["columns"])
    with figure_to(svg, png, 9.6, 2.5 * count + 1.0) as figure:
        figure.suptitle(textwrap.fill(title_text(cells), 125), fontsize=10, x=0.01, ha="left")
        figure.supxlabel(_legend(cells), fontsize=7.5, x=0.01, ha="left", color=INK)
        axes = figure.subplots(count, 1 + printed, squeeze=False)
        for position, line in enumerate(axes):
            for axis, source in zip(line, ("published", "reproduced")[not printed :], strict=True):
                _draw_panel(axis, cells, position, source)
        look: dict[str, Any] = {"frameon": False, "borderpad": 0, "columnspacing": 1.2}
        axes[0][-1].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, **look)


def _draw_panel(axis: Axes, cells: Cells, position: int, source: str) -> None:
    factor, column = style_of(cells, position).factor, cells["columns"][position]
    places = _places(cells)
    span = max(places.values()) - min(places.values()) or 1.0
    for number, row in enumerate(cells["rows"]):
        look = _look(number)
        found = [
            (point, block) for point in points_of(cells, row["name"])
            if (block := point["cells"][position][source])
        ]  # fmt: skip
        shift = span * APART * (number - (len(cells["rows"]) - 1) / 2) if source == "reproduced" else 0.0
        at = [places[value_text(point["at"])] + shift for point, _ in found]
        values = [block["value" if source == "published" else "mean"] * factor for _, block in found]
        axis.plot(at, values, label=row_text(cells, row), **look)
        if source == "reproduced":
            _draw_bars(axis, at, [block for _, block in found], factor, look["color"])
    axis.set_xticks(list(places.values()), list(places))
    axis.set_xlabel(cells["parameter"])
    axis.set_ylabel(f"{column['label']} ({unit_text(cells)})")
    axis.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.grid(axis="y")
    if position == 0:
        on = dataset_text(column) if source == "published" else collection_text(cells)
        axis.set_title(f"{source}, {on}", loc="left")


def _draw_bars(
    axis: Axes, at: Sequence[float], blocks: Sequence[Mapping[str, Any]], factor: float, colour: str
) -> None:
    """Thick for these checkpoints, thin for the method."""
    for kind, width in (("method", 1.1), ("checkpoints", 3.2)):
        for place, block in zip(at, blocks, strict=True):
            if block[kind]:
                ends = [block[kind][end] * factor for end in ("low", "high")]
                axis.plot([place] * 2, ends, color=colour, lw=width, solid_capstyle="butt", alpha=0.55)


def _places(cells: Cells) -> dict[str, float]:
    """Return where each value stands on the axis: at itself if all are numbers, else one after the other."""
    values = list(dict.fromkeys(point["at"] for point in cells["points"]))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if numbers:
        return {value_text(value): float(value) for value in sorted(values)}
    return {value_text(value): float(place) for place, value in enumerate(values)}


def _look(number: int) -> dict[str, Any]:
    return {
        "color": OKABE_ITO[number % len(OKABE_ITO)],
        "marker": MARKERS[number % len(MARKERS)],
        "linestyle": LINES[number % len(LINES)],
        "markersize": 5.5,
        "markeredgecolor": "black",
        "markeredgewidth": 0.5,
        "linewidth": 1.3,
        "zorder": 3,
    }


def _legend(cells: Cells) -> str:
    level, seeds = f"{cells['level'] * 100:g} %", len(cells["seeds"])
    kind = INTERVALS[shown_interval(cells)]
    if seeds == 1:
        return f"One seed. Bars: {level} interval of the mean for {kind} (over queries), not for the method."
    return (
        f"Mean of {seeds} seeds. Bars: {level} interval of the mean, thick for these checkpoints, over "
        f"queries; thin for {kind}, over seeds and queries.\n"
        "Points share warm-ups and queries; their differences are known better."
    )
