"""Figures of false negatives: their share by rank and gap, and the information kept at their cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from harness.analysis.trade import REFERENCES
from harness.evaluation.over_queries import LEVEL
from harness.reports.drawing import INK, describe, figure_to, legend_label, line_look

PLAIN: dict[str, Any] = {"frameon": False, "borderpad": 0, "columnspacing": 1.2}

AXES = {"all": "", "rank": "rank by s(q, d-)", "gap": "s(q, d-) - s(q, d+)"}

BESIDE = dict(zip(REFERENCES, ({"color": "black"}, {"color": "#888888"}), strict=True))


def draw_false_negatives(frame: pd.DataFrame, svg: Path, png: Path, *, title: str) -> None:
    """Draw the share of known relevant documents among the draws, a panel for each way of binning.

    Args:
        frame: frame of `false_negatives`, or several concatenated.
        svg: path of the vector figure.
        png: path of the bitmap.
        title: title of the figure.
    """
    panels = list(frame.groupby("by", sort=False))
    legend = (
        f"Share of draws known to be relevant; bars: {LEVEL * 100:g} % interval over queries. Grey: the same "
        "share of all candidates.\nNumbers below: known relevant candidates in the bin. A bin in which a "
        "sampler drew fewer than 20 is left out for it."
    )
    with figure_to(svg, png, 9.6, 3.3 * len(panels) + 0.9) as figure:
        describe(figure, title, legend)
        axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
        for axis, (by, of) in zip(axes, panels, strict=True):
            _draw_bins(axis, of)
            axis.set_xlabel(AXES[str(by)])
            axis.set_ylabel("false negatives (% of draws)")
        axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=6, **PLAIN)


def draw_trade(frame: pd.DataFrame, svg: Path, png: Path, *, title: str) -> None:
    """Draw information kept over false negatives drawn, a curve for each sampler.

    Args:
        frame: frame of `trade` or `trade_over_parameter`.
        svg: path of the vector figure.
        png: path of the bitmap.
        title: title of the figure.
    """
    legend = (
        "Kept: the softmax loss's derivative by the drawn scores, without those known to be relevant, as a "
        "share of that of all others.\nUp and to the left is better; at n = K all is kept and all drawn. "
        f"Numbers: n, or the parameter. Bars: {LEVEL * 100:g} % interval over queries."
    )
    with figure_to(svg, png, 9.6, 5.4) as figure:
        describe(figure, title, legend)
        axis = figure.subplots()
        for number, (name, of) in enumerate(frame.groupby("sampler", sort=False)):
            look = line_look(number) | BESIDE.get(str(name), {})
            parameter = of["parameter"].iloc[0]
            _draw_curve(axis, of, f"{name} (over {parameter})", look)
        axis.set_xlabel("false negatives drawn (% of the known relevant candidates)")
        axis.set_ylabel("information kept (% of all candidates)")
        axis.set_xlim(left=0)
        axis.set_ylim(0, 102)
        axis.grid(axis="y")
        axis.legend(loc="lower right", **PLAIN)


def _draw_bins(axis: Axes, frame: pd.DataFrame) -> None:
    bins = frame.drop_duplicates("bin").sort_values("begin")
    place = {name: at for at, name in enumerate(bins["bin"])}
    names = list(frame["sampler"].unique())
    base = (100 * bins["known"] / bins["candidates"]).tolist()
    axis.bar(range(len(bins)), base, width=0.9, color="#DDDDDD", zorder=1)
    for number, name in enumerate(names):
        of = frame[(frame["sampler"] == name) & (frame["drawn"] >= 20)]
        shift = 0.8 * ((number + 0.5) / len(names) - 0.5)
        at = [place[of_bin] + shift for of_bin in of["bin"]]
        look = {**line_look(number), "linestyle": ""}
        axis.plot(at, 100 * of["share"], label=legend_label(str(name)), **look)
        axis.vlines(at, 100 * of["low"], 100 * of["high"], color=look["color"], linewidth=1.3, zorder=2)
    axis.set_xticks(
        range(len(bins)), [f"{b}\n{k:,}" for b, k in zip(bins["bin"], bins["known"], strict=True)]
    )
    axis.grid(visible=False, axis="x")
    axis.grid(axis="y")
    axis.set_ylim(bottom=0)


def _draw_curve(axis: Axes, of: pd.DataFrame, label: str, look: dict[str, Any]) -> None:
    x, y = 100 * of["of_known"], 100 * of["kept"]
    axis.plot(x, y, label=legend_label(label), **look)
    thin: dict[str, Any] = {"color": look["color"], "linewidth": 0.9, "alpha": 0.5}
    axis.hlines(y, 100 * of["of_known_low"], 100 * of["of_known_high"], **thin)
    axis.vlines(x, 100 * of["kept_low"], 100 * of["kept_high"], **thin)
    for value, across, up in zip(of["value"], x, y, strict=True):
        text = f"{value:g}" if isinstance(value, float) else str(value)
        axis.annotate(text, (across, up), (4, -9), textcoords="offset points", fontsize=6.5, color=INK)
