"""The figure of learning curves: the same values over steps and over seconds, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.reports.cost.seconds import hardware_text
from harness.reports.curve.cells import CurveCells
from harness.reports.drawing import INK, describe, figure_to, legend_label, line_look
from harness.reports.footnotes import made_on
from harness.reports.text import row_text, title_text, unit_style, unit_text

POINT_SHIFT = 0.006
"""Horizontal offset between the points of successive rows, as a share of the last step."""


def draw_curve(cells: CurveCells, svg: Path, png: Path) -> None:
    """Draw each row with its interval over seeds; equal cells yield identical files.

    Args:
        cells: parsed `cells.json`.
        svg: path of the vector figure to write.
        png: path of the bitmap to write, 150 dots per inch.
    """
    with figure_to(svg, png, 9.6, 4.0) as figure:
        describe(figure, title_text(cells), _legend(cells))
        steps, seconds = figure.subplots(1, 2, sharey=True)
        _draw_panel(steps, cells, "step", "optimizer steps")
        _draw_panel(seconds, cells, "seconds", "seconds of training")
        steps.set_ylabel(f"{cells.primary} on {cells.columns[0].split} ({unit_text(cells.unit)})")
        look: dict[str, Any] = {"frameon": False, "borderpad": 0, "columnspacing": 1.2}
        steps.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, **look)


def _draw_panel(axis: Axes, cells: CurveCells, key: str, label: str) -> None:
    factor = unit_style(cells.unit).factor
    last = max((point.step for row in cells.rows for point in row.points), default=0)
    for number, row in enumerate(cells.rows):
        points = [(at, point) for point in row.points if (at := getattr(point, key)) is not None]
        shift = last * POINT_SHIFT * (number - (len(cells.rows) - 1) / 2) if key == "step" else 0.0
        at = [place + shift for place, _ in points]
        look = line_look(number)
        axis.plot(
            at, [point.mean * factor for _, point in points], label=legend_label(row_text(cells, row)), **look
        )
        for place, (_, point) in zip(at, points, strict=True):
            if point.low is not None and point.high is not None:
                ends = [max(point.low, 0.0) * factor, min(point.high, 1.0) * factor]
                axis.plot([place] * 2, ends, color=look["color"], lw=1.6, solid_capstyle="butt", alpha=0.6)
    if not any(getattr(point, key) is not None for row in cells.rows for point in row.points):
        axis.text(0.5, 0.5, "not recorded", transform=axis.transAxes, ha="center", color=INK)
    axis.set_xlabel(label)
    axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.grid(axis="y")


def _legend(cells: CurveCells) -> str:
    level = f"{cells.level * 100:g} %"
    bars = f"Bars: {level} CI over seeds." if len(cells.seeds) > 1 else "One seed, no intervals."
    return (
        f"Results on {made_on(cells)}. {bars} Step 0 is {cells.begin.name}.\n"
        f"Seconds: mean over seeds, of steps and refreshes, on {hardware_text(cells.hardware)}."
    )
