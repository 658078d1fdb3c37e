"""The figure of costs: the parts of a step's seconds; published figures have their own panel and axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.reports.cost.cells import CostCells, CostRow
from harness.reports.cost.seconds import hardware_text
from harness.reports.drawing import INK, OKABE_ITO, describe, figure_to
from harness.reports.footnotes import made_on
from harness.reports.text import collection_text, row_text, title_text

PARTS: dict[str, dict[str, Any]] = {
    "training": {"facecolor": OKABE_ITO[0]},
    "drawing": {"facecolor": OKABE_ITO[1], "hatch": "////"},
    "re-encoding (per step)": {"facecolor": OKABE_ITO[4], "hatch": "||||"},
    "mining (per step)": {"facecolor": OKABE_ITO[5], "hatch": "xxxx"},
    "s(d+, d-) (per step)": {"facecolor": OKABE_ITO[2], "hatch": "...."},
    "construction (per step)": {"facecolor": "#BBBBBB", "hatch": "----"},
}
"""Part of a step's seconds -> its colour and pattern."""


def draw_cost(cells: CostCells, svg: Path, png: Path) -> None:
    """Draw the parts of a step's seconds; equal cells yield identical files.

    Args:
        cells: parsed `cells.json`.
        svg: path of the vector figure to write.
        png: path of the bitmap to write, 150 dots per inch.
    """
    printed = [_published(cells, row) for row in cells.rows]
    reproduced = [_reproduced(cells, row) for row in cells.rows]
    shown = {"published": printed, "reproduced": reproduced} if any(printed) else {"reproduced": reproduced}
    with figure_to(svg, png, 9.6, 0.45 * len(cells.rows) + 1.9) as figure:
        describe(figure, title_text(cells), _legend(cells))
        axes = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
        for axis, (side, parts) in zip(axes, shown.items(), strict=True):
            on = collection_text(cells) if side == "reproduced" else cells.source
            _draw_panel(axis, parts, f"{side}, {on}")
        for place, row in enumerate(cells.rows):
            whole = row.costs.get("all") or row.costs.get("step")
            if whole and whole.low is not None and whole.high is not None:
                axes[-1].plot([whole.low, whole.high], [place] * 2, color=INK, linewidth=2.2)
        axes[0].set_yticks(range(len(cells.rows)), [row_text(cells, row) for row in cells.rows])
        axes[0].set_ylim(len(cells.rows) - 0.4, -0.6)  # the first row on top


def _draw_panel(axis: Axes, rows: list[dict[str, float]], title: str) -> None:
    for place, parts in enumerate(rows):
        left = 0.0
        for name, value in parts.items():
            first = place == next(n for n, other in enumerate(rows) if name in other)
            look = {**PARTS[name], "edgecolor": "white", "linewidth": 0.5}
            axis.barh(place, value, left=left, height=0.55, label=name if first else None, **look)
            left += value
        if not parts:
            axis.text(0.02, place, "not run", transform=axis.get_yaxis_transform(), va="center", color=INK)
    axis.set_title(title, loc="left", pad=20)
    axis.set_xlabel("seconds per step")
    axis.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    look = {"frameon": False, "borderpad": 0, "columnspacing": 1.0, "handletextpad": 0.4}
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, fontsize=7, **look)


def _reproduced(cells: CostCells, row: CostRow) -> dict[str, float]:
    """Return the recorded parts of a step."""
    costs = {name: cost.median for name, cost in row.costs.items()}
    if "step" not in costs:
        return {}
    drawing = costs.get("drawing", 0.0)
    parts = {"training": costs["step"] - drawing, "drawing": drawing}
    if "construction" in costs and (refresh := cells.refresh):
        parts["re-encoding (per step)"] = costs["encoding"] / refresh
        parts["mining (per step)"] = costs["mining"] / refresh
        if costs.get("similarity"):
            parts["s(d+, d-) (per step)"] = costs["similarity"] / refresh
    return parts


def _published(cells: CostCells, row: CostRow) -> dict[str, float]:
    names = {"step": "training", "construction-a-step": "construction (per step)"}
    return {
        names[column.cost]: cell.published.value
        for column, cell in zip(cells.costs, row.cells, strict=True)
        if column.cost in names and cell.published
    }


def _legend(cells: CostCells) -> str:
    bars = " Bars: quartiles of the total over runs." if len(cells.seeds) > 1 else ""
    return (
        f"Results on {made_on(cells)}; {hardware_text(cells.hardware)}.\nMedians over steps; (per step): "
        f"a refresh's seconds over its {cells.refresh} steps.{bars} Each panel has its own axis."
    )
