"""The figure of the plane: all candidates in grey, draws of each sampler on top, the region marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from harness.analysis.geometry import ALL, NEAR
from harness.reports.drawing import INK, OKABE_ITO, describe, few_ticks, figure_to

SHOWN = 1500
"""Maximum of draws in a panel; more would overlap."""

IMAGE = {"rasterized": True}
"""Thousands of dots and cells are an image in vector figures."""

ACROSS = 3
"""Panels in a row if there is one round or one sampler."""


def draw_geometry(frame: pd.DataFrame, svg: Path, png: Path, *, title: str) -> None:
    """Draw a panel for each sampler, a row of panels for each round; of one sampler, rounds side by side.

    Args:
        frame: frame of `points`.
        svg: path of the vector figure.
        png: path of the bitmap.
        title: title of the figure.
    """
    rounds = list(frame["round"].unique())
    names = [name for name in frame["sampler"].cat.categories if name != ALL]
    panels = [(name, number) for number in rounds for name in names]
    across = min(ACROSS, len(panels)) if len(rounds) == 1 or len(names) == 1 else len(names)
    down = -(-len(panels) // across)
    limits = [np.quantile(frame[of], [0.002, 0.998]) for of in ("x", "y")]
    with figure_to(svg, png, 9.6, 2.75 * down + 1.1) as figure:
        describe(figure, title, _legend(frame))
        axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
        for axis, (name, number) in zip(axes.ravel(), panels, strict=False):
            here = frame[frame["round"] == number]
            _draw_panel(axis, here[here["sampler"] == ALL], here[here["sampler"] == name], limits)
            inside = _inside(here[here["sampler"] == name])
            when = f", round {number}" if len(rounds) > 1 else ""
            axis.set_title(f"{name}{when}: {inside * 100:.1f} % inside", loc="left")
        for axis in axes.ravel()[len(panels) :]:
            axis.axis("off")
        for axis in axes.ravel()[: len(panels)][-across:]:
            axis.set_xlabel("s(q, d-) - s(q, d+)")
            axis.tick_params(labelbottom=True)
        for axis in axes[:, 0]:
            axis.set_ylabel("s(d+, d-) - s(q, d-)")


def _draw_panel(axis: Axes, everything: pd.DataFrame, drawn: pd.DataFrame, limits: list[np.ndarray]) -> None:
    (left, right), (low, high) = limits
    bins = [np.linspace(left, right, 45), np.linspace(low, high, 45)]
    count, _, _ = np.histogram2d(everything["x"], everything["y"], bins=bins)
    grey = LogNorm(0.5, 2000 * max(count.max(), 1.0))  # no darker than half, so that dots stay seen
    shade: dict[str, Any] = {"cmap": "Greys", "norm": grey, "zorder": 1, **IMAGE}
    axis.pcolormesh(*bins, np.where(count > 0, count, np.nan).T, **shade)
    some = drawn.sample(min(SHOWN, len(drawn)), random_state=0)
    dots: dict[str, Any] = {"color": OKABE_ITO[1], "markersize": 1.8, "alpha": 0.45, "zorder": 2, **IMAGE}
    axis.plot(some["x"], some["y"], ".", **dots)
    axis.plot([-NEAR, -NEAR, NEAR, NEAR], [high, 0, 0, high], color="black", linewidth=1.4, zorder=3)
    axis.axhline(0, color=INK, linewidth=0.7, linestyle=":", zorder=3)
    axis.set_xlim(left, right)
    axis.set_ylim(low, high)
    axis.grid(visible=False)
    few_ticks(axis.xaxis)
    few_ticks(axis.yaxis)


def _inside(drawn: pd.DataFrame) -> float:
    return float(((drawn["y"] > 0) & (drawn["x"].abs() <= NEAR)).mean())


def _legend(frame: pd.DataFrame) -> str:
    everything = frame[frame["sampler"] == ALL]
    grey = f"all candidates of {everything['query'].nunique():,} queries, darker where more lie"
    region = f"nearer to the positive than the query is, and |s(q, d-) - s(q, d+)| at most {NEAR:g}"
    return (
        f"Grey: {grey}; dots: at most {SHOWN:,} draws of each sampler.\n"
        f"Frame: triangular region, {region} (equation 5 at 1 / e of its peak);\n"
        f"{_inside(everything) * 100:.1f} % of all candidates lie inside."
    )
