"""The figure of statistics: a panel for each count, with both sides on one logarithmic axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from harness.reports.drawing import INK, OKABE_ITO, entitle, figure_to
from harness.reports.statistics.cells import CountedCell, StatisticsCells
from harness.reports.text import title_text

LOOKS: dict[str, dict[str, Any]] = {
    "published": {"color": OKABE_ITO[0], "marker": "D", "markerfacecolor": "white", "markersize": 6},
    "here": {"color": OKABE_ITO[1], "marker": "o", "markeredgecolor": "black", "markersize": 5},
}


def draw_statistics(cells: StatisticsCells, svg: Path, png: Path) -> None:
    """Draw the counts; equal cells yield identical files.

    Args:
        cells: parsed `cells.json`.
        svg: path of the vector figure to write.
        png: path of the bitmap to write, 150 dots per inch.
    """
    with figure_to(svg, png, 9.6, 0.28 * len(cells.rows) + 1.6) as figure:
        entitle(figure, title_text(cells))
        axes = figure.subplots(1, len(cells.columns), squeeze=False, sharey=True)[0]
        for place, axis in enumerate(axes):
            _draw_panel(axis, cells, place)
        axes[0].set_yticks(range(len(cells.rows)), [row.name for row in cells.rows])
        axes[0].set_ylim(len(cells.rows) - 0.4, -0.6)  # the first row on top
        handles = [Line2D([], [], linestyle="none", label=name, **look) for name, look in LOOKS.items()]
        figure.legend(handles=handles, loc="outside lower left", ncols=2, frameon=False)


def _draw_panel(axis: Axes, cells: StatisticsCells, place: int) -> None:
    column = cells.columns[place]
    for number, row in enumerate(cells.rows):
        values = _values(row.cells[place])
        if len(values) > 1:
            axis.plot(list(values.values()), [number] * 2, color="#BBBBBB", linewidth=1, zorder=1)
        for name, value in values.items():
            axis.plot(value, number, **LOOKS[name], linestyle="none", zorder=3)
        if not values:
            text = "unavailable" if row.kind == "unavailable" else "none published"
            axis.text(0.02, number, text, transform=axis.get_yaxis_transform(), va="center", color=INK)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(numticks=6))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.margins(x=0.15)
    axis.set_title(column.label, loc="left")
    axis.set_xlabel("documents" if column.count == "documents" else "queries")


def _values(cell: CountedCell) -> dict[str, float]:
    """Return a cell's counts to draw; 0 is omitted, as the axis is logarithmic."""
    published = cell.published.value if cell.published else None
    return {name: float(value) for name, value in (("published", published), ("here", cell.counted)) if value}
