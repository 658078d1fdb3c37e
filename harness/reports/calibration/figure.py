"""The figure of a calibration: the intervals of all pairs, a panel for each kind of interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from harness.evaluation.calibration import covers
from harness.reports.calibration.cells import CalibrationCells, interval_of, kinds
from harness.reports.drawing import INK, OKABE_ITO, describe, few_ticks, figure_to
from harness.reports.footnotes import made_on
from harness.reports.text import points_text, title_text, unit_style

COVERS: dict[str, Any] = {"color": "#777777", "marker": "o", "markersize": 4.5, "linewidth": 1.2}
MISSES: dict[str, Any] = {"color": OKABE_ITO[1], "marker": "X", "markersize": 7, "linewidth": 2.6}


def draw_calibration(cells: CalibrationCells, svg: Path, png: Path) -> None:
    """Draw the pairs, sorted by their difference; equal cells yield identical files.

    Args:
        cells: parsed `cells.json`.
        svg: path of the vector figure to write.
        png: path of the bitmap to write, 150 dots per inch.
    """
    shown = kinds(cells)
    with figure_to(svg, png, 9.6, 0.17 * len(cells.pairs) + 1.75) as figure:
        describe(figure, title_text(cells), _legend(cells))
        axes = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
        for axis, (kind, name) in zip(axes, shown.items(), strict=True):
            _draw_panel(axis, cells, kind, name)
        axes[0].set_ylabel("pair")


def _draw_panel(axis: Axes, cells: CalibrationCells, kind: str, name: str) -> None:
    """Draw the intervals of one kind; those that miss 0 differ in colour, marker and width."""
    factor, coverage = unit_style(cells.unit).factor, cells.coverage[kind]
    pairs = sorted(cells.pairs, key=lambda pair: (pair.value, pair.pair))
    for place, pair in enumerate(pairs):
        difference, interval = interval_of(pair, kind)
        look = COVERS if covers(interval.low, interval.high) else MISSES
        bar = [interval.low * factor, difference * factor, interval.high * factor]
        axis.plot(bar, [place] * 3, **look, markevery=[1], solid_capstyle="butt", markeredgecolor="white")
    axis.axvline(0, color=INK, linewidth=0.9, zorder=1)
    axis.set_yticks(range(len(pairs)), [str(pair.pair) for pair in pairs])
    axis.set_ylim(len(pairs) - 0.4, -0.6)
    few_ticks(axis.xaxis)
    axis.set_xlabel(f"difference in {cells.primary} ({points_text(cells.unit)})")
    axis.set_title(f"{name}:\n{coverage.covered} of {coverage.intervals} cover 0", loc="left")


def _legend(cells: CalibrationCells) -> str:
    level = f"{cells.level * 100:g} %"
    return (
        f"Results on {made_on(cells)} for each side. Bars: {level} CI of side A minus side B, the same "
        "method on both; those that miss 0 are thick, with a cross.\n"
        "Pairs are sorted by their difference over all seeds; each panel has its own axis."
    )
