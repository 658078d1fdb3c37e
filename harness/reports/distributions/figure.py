"""The figure of sampling distributions: a panel for each query, as in SimANS's Figure 5."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.reports.distributions.cells import DistributionsCells, frame_of_examples
from harness.reports.drawing import INK, describe, figure_to, line_look
from harness.reports.footnotes import made_on
from harness.reports.text import row_text, title_text


def draw_distributions(cells: DistributionsCells, svg: Path, png: Path) -> None:
    """Draw a panel for each row, seed and query; equal cells yield identical files.

    Args:
        cells: parsed `cells.json`.
        svg: path of the vector figure to write.
        png: path of the bitmap to write, 150 dots per inch.
    """
    frame, several = frame_of_examples(cells), len(cells.seeds) > 1
    names = {row.name: row_text(cells, row) for row in cells.rows}
    frame["sampler"] = [
        f"{names[row]}, seed {seed}" if several else names[row]
        for row, seed in zip(frame["row"], frame["seed"], strict=True)
    ]
    draw_examples(frame, svg, png, title=title_text(cells), on=f"Results on {made_on(cells)}. ")


def draw_examples(frame: pd.DataFrame, svg: Path, png: Path, *, title: str, on: str = "") -> None:
    """Draw a panel for each row: the chances of its top ranks, and where the gap to the positive is 0.

    Args:
        frame: frame of :func:`~harness.negatives.examples.example_distributions`, with a column ``sampler``
            where it has several.
        svg: path of the vector figure.
        png: path of the bitmap.
        title: title of the figure.
        on: what stands before the legend.
    """
    frame = frame if "sampler" in frame else frame.assign(sampler="")
    panels = list(frame.groupby(["sampler", "query", "positive"], sort=False))
    lines = -(-len(panels) // 2)
    with figure_to(svg, png, 9.6, 2.3 * lines + 0.9) as figure:
        describe(figure, title, on + _LEGEND)
        axes = figure.subplots(lines, 2, squeeze=False, sharex=True, sharey=True).ravel()
        for axis, ((sampler, query, _), of) in zip(axes, panels, strict=False):
            axis.bar(of["rank"], of["inclusion"], width=0.8, color="#BBBBBB", label="among the n")
            points = {**line_look(0), "linestyle": "", "markersize": 3}
            axis.plot(of["rank"], of["first"], **points, label="first")
            axis.axvline((of["gap"] > 0).sum() + 0.5, color=INK, linestyle="--", linewidth=0.9)
            axis.set_title(f"{sampler}: {_short(query)}" if sampler else _short(query), loc="left")
            axis.grid(axis="y")
        for axis in axes[len(panels) :]:
            axis.axis("off")
        axes[0].legend(loc="upper right", frameon=False, borderpad=0, columnspacing=1.2)
        for axis in axes[-2:]:
            axis.set_xlabel("rank by s(q, d-)")
        for axis in axes[::2]:
            axis.set_ylabel("chance")


def _short(query: object) -> str:
    """Return the name of a query, without the middle of a long id."""
    text = f"query {query}"
    return text if len(text) <= 48 else f"{text[:24]}…{text[-23:]}"


_LEGEND = (
    "Bars: chance to be among the n drawn. Points: chance to be drawn first, of the whole row.\n"
    "Dashed: how many of the ranks shown outscore the positive."
)
