"""Figures of inclusion probabilities by rank, for samplers and for values of parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from harness.evaluation.over_queries import LEVEL
from harness.negatives.inclusion import COUNTED, STAGED
from harness.reports.drawing import describe, figure_to, legend_label, line_look

PLAIN: dict[str, Any] = {"frameon": False, "borderpad": 0, "columnspacing": 1.2}


def draw_inclusion(frame: pd.DataFrame, svg: Path, png: Path, *, title: str) -> None:
    """Draw inclusion probabilities by rank, a line for each sampler.

    Args:
        frame: frame of `inclusion_per_rank`.
        svg: path of the vector figure.
        png: path of the bitmap.
        title: title of the figure.
    """
    with figure_to(svg, png, 9.6, 4.4) as figure:
        describe(figure, title, _legend(frame))
        axis = figure.subplots()
        for number, (name, lines) in enumerate(frame.groupby("sampler", sort=False)):
            _draw_line(axis, lines, number, str(name))
        _over_ranks(axis, int(frame["rank"].max()))
        axis.set_ylabel("chance to be among the n drawn")
        axis.legend(loc="upper right", ncols=2, **PLAIN)


def draw_inclusion_over_parameters(frame: pd.DataFrame, svg: Path, png: Path, *, title: str) -> None:
    """Draw a panel for each parameter, with a line for each value.

    Args:
        frame: frame of `inclusion_over_parameters`, or several concatenated.
        svg: path of the vector figure.
        png: path of the bitmap.
        title: title of the figure.
    """
    panels = list(frame.groupby(["law", "parameter"], sort=False))
    lines = -(-len(panels) // 2)
    with figure_to(svg, png, 9.6, 2.9 * lines + 0.9) as figure:
        describe(figure, title, _legend(frame))
        axes = figure.subplots(lines, 2, squeeze=False, sharey=True).ravel()
        for axis, ((law, parameter), curves) in zip(axes, panels, strict=False):
            for number, (value, of) in enumerate(curves.groupby("value", sort=False)):
                _draw_line(axis, of, number, _text(value))
            _over_ranks(axis, int(frame["rank"].max()))
            axis.set_title(f"{law}, {parameter}", loc="left")
            axis.legend(loc="upper right", title=parameter, **PLAIN)
        for axis in axes[len(panels) :]:
            axis.axis("off")
        for axis in axes[::2]:
            axis.set_ylabel("chance to be drawn")


def _draw_line(axis: Axes, lines: pd.DataFrame, number: int, label: str) -> None:
    look = {**line_look(number), "markersize": 4.5}
    rank = lines["rank"].to_numpy()
    marked = np.unique(np.searchsorted(rank, np.geomspace(1, rank[-1], 9) * (1 + 0.04 * number)))
    axis.plot(
        rank,
        lines["mean"],
        label=legend_label(label),
        markevery=marked[marked < len(rank)].tolist(),
        **look,
    )
    axis.fill_between(rank, lines["low"], lines["high"], color=look["color"], alpha=0.18, linewidth=0)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _over_ranks(axis: Axes, last: int) -> None:
    axis.set_xscale("log")
    axis.set_xlim(0.93, last * 1.08)
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if tick <= last]
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.set_ylim(0, 1.02)
    axis.set_xlabel("rank by s(q, d-), from 1")
    axis.grid(axis="y")


def _legend(frame: pd.DataFrame) -> str:
    kinds = set(frame["how"])
    counted = " Counted where a draw has no closed form." if COUNTED in kinds else ""
    staged = " Laws with two stages: averaged over the noise of the first." if STAGED in kinds else ""
    return (
        f"Mean over {frame['rows'].max():,} rows; bands: {LEVEL * 100:g} % interval over queries.\n"
        f"Analytic, nothing is drawn.{staged}{counted}"
    )
