"""The figure over ranks: mean and variance of gradients, each divided by its maximum as in the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from harness.gradients.findings import READINGS
from harness.gradients.per_rank import POSITIVES
from harness.reports.drawing import INK, describe, few_ticks, figure_to, line_look
from harness.reports.footnotes import made_on
from harness.reports.ranks.cells import READING_TITLES, RanksCells, frame_of_cells
from harness.reports.text import row_text, title_text

LABELS = ("mean", "variance")


def draw_ranks(cells: RanksCells, svg: Path, png: Path) -> None:
    """Draw a row of two panels for each checkpoint; equal cells yield identical files.

    Args:
        cells: parsed `cells.json`.
        svg: path of the vector figure to write.
        png: path of the bitmap to write, 150 dots per inch.
    """
    frame, several = frame_of_cells(cells), len(cells.seeds) > 1
    names = {row.name: row_text(cells, row) for row in cells.rows}
    frame["retriever"] = [
        f"{names[row]}, seed {seed}" if several else names[row]
        for row, seed in zip(frame["row"], frame["seed"], strict=True)
    ]
    draw_gradients(frame, svg, png, title=title_text(cells), on=f"Results on {made_on(cells)}.\n")


def draw_gradients(frame: pd.DataFrame, svg: Path, png: Path, *, title: str, on: str = "") -> None:
    """Draw a row of two panels for each retriever, reproducible to the byte.

    Args:
        frame: frame of :func:`~harness.gradients.per_rank.gradients_per_rank`, or several
            concatenated.
        svg: path of the vector figure.
        png: path of the bitmap.
        title: title of the figure, with the reading of the paper.
        on: what stands before the legend.
    """
    retrievers = list(frame["retriever"].unique())
    with figure_to(svg, png, 7.6, 1.2 + 1.75 * len(retrievers)) as figure:
        describe(figure, title, on + _LEGEND)
        panels = figure.subplots(len(retrievers), 2, sharex=True, sharey=True, squeeze=False)
        for row, name in zip(panels, retrievers, strict=True):
            for axis, reading in zip(row, READINGS, strict=True):
                _draw_panel(axis, frame[frame["retriever"] == name], reading)
            row[0].set_title(name, loc="left")
            row[0].set_ylabel("divided by\nthe maximum")
        for axis, reading in zip(panels[0], READINGS, strict=True):
            axis.set_title(READING_TITLES[reading], loc="right")
        panels[0, 1].legend(loc="center right", frameon=False)
        for axis in panels[-1]:
            axis.set_xlabel("rank of the negative")


def _draw_panel(axis: Axes, frame: pd.DataFrame, reading: str) -> None:
    for number, (statistic, label) in enumerate(zip(READINGS[reading], LABELS, strict=True)):
        lines = frame[frame["statistic"] == statistic].sort_values("rank")
        ranks = lines["rank"].to_numpy(dtype=float)
        look = {**line_look(number), "markevery": max(len(lines) // 12, 1), "markersize": 4, "label": label}
        axis.plot(ranks, lines["relative"].to_numpy(), **look)
        low, high = lines["relative_low"].to_numpy(), lines["relative_high"].to_numpy()
        axis.fill_between(ranks, low, high, color=look["color"], alpha=0.22, linewidth=0)
    last = float(frame["rank"].max())
    _mark_positives(axis, frame[frame["statistic"] == POSITIVES].iloc[0], last)
    axis.set_xlim(0, last * 1.01)
    axis.set_ylim(0, 1.12)
    axis.grid(axis="y")
    few_ticks(axis.xaxis)


def _mark_positives(axis: Axes, line: pd.Series, last: float) -> None:
    """Mark the positives' mean rank with its band, or write it if it is beyond the shown ranks."""
    text = f"positives: {line['value']:.0f}"
    if line["value"] > last:
        axis.text(last, 1.04, f"{text} ▸", ha="right", fontsize=7.5, color=INK)
        return
    axis.axvspan(line["low"], min(line["high"], last), color="#BBBBBB", alpha=0.35, linewidth=0)
    axis.axvline(line["value"], color=INK, linewidth=1, linestyle=(0, (4, 2)))
    shift, side = (3, "left") if line["value"] < last / 2 else (-3, "right")
    look: dict[str, Any] = {"textcoords": "offset points", "ha": side, "fontsize": 7.5}
    axis.annotate(text, (line["value"], 1.04), (shift, 0), **look)


_LEGEND = (
    "Left: mean and variance of the gradients' norms. Right: norm of their mean, trace of their covariance.\n"
    "Bands: 95 %, over queries (right: groups of queries). Dashed: mean rank of the positives, with its band."
)
