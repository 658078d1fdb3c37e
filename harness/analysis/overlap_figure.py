"""Heat maps of the overlap of samplers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from harness.analysis.overlap import COMMON, INDEPENDENT
from harness.evaluation.over_queries import LEVEL
from harness.reports.drawing import describe, figure_to

TITLES = {INDEPENDENT: "independent noise (another visit)", COMMON: "common random numbers"}


def draw_overlap(frame: pd.DataFrame, svg: Path, png: Path, *, title: str) -> None:
    """Draw the overlap of each pair of samplers, one heat map per kind of noise.

    Args:
        frame: frame of `overlap`.
        svg: path of the vector figure.
        png: path of the bitmap.
        title: title of the figure.
    """
    names = list(frame["sampler"].unique())
    widest = ((frame["high"] - frame["low"]).max()) / 2 * 100
    legend = (
        "Share (%) of the draws of the sampler at the left that the one below draws as well.\n"
        f"{LEVEL * 100:g} % intervals over queries reach at most {widest:.1f} points to either side."
    )
    with figure_to(svg, png, 9.6, 0.42 * len(names) + 2.4) as figure:
        describe(figure, title, legend)
        axes = figure.subplots(1, 2, sharey=True)
        for axis, noise in zip(axes, (INDEPENDENT, COMMON), strict=True):
            of = frame[frame["noise"] == noise]
            table = of.pivot(index="sampler", columns="other", values="value").loc[names, names]
            _draw_map(axis, table)
            axis.set_title(TITLES[noise], loc="left")


def _draw_map(axis: Axes, table: pd.DataFrame) -> None:
    values = 100 * table.to_numpy()
    axis.imshow(values, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            ink = "white" if value > 55 else "black"
            axis.text(column, row, f"{value:.0f}", ha="center", va="center", color=ink, fontsize=7.5)
    axis.set_xticks(range(len(table)), list(table.columns), rotation=30, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(table)), list(table.index))
    axis.tick_params(length=0)
    axis.grid(visible=False)
