"""The figure of a comparison: differences by query, sorted, and the ranks of relevant documents."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from harness.compare.differences import by_query
from harness.compare.document import PERCENT
from harness.compare.result import LEVEL, CompareResult
from harness.reports.drawing import INK, OKABE_ITO, figure_to

GAIN, LOSS = OKABE_ITO[0], OKABE_ITO[5]
"""A dark and a pale colour, distinct in grey as well."""


DARK = 0.55
"""Shade, from 0 to 1, above which a count is written in white."""


def draw_compared(result: CompareResult, svg: Path, png: Path) -> None:
    """Draw both panels, reproducible to the byte.

    Args:
        result: the measured and paired sides.
        svg: where to write the vector figure.
        png: where to write the bitmap.
    """
    with figure_to(svg, png, 9.6, 4.4) as figure:
        simulation = "Simulation. " if result.collection.simulation else ""
        names = f"{result.a.name} and {result.b.name}"
        title = f"{simulation}{names} on {result.collection.name}, {result.split} queries"
        figure.suptitle(textwrap.fill(title, 125), fontsize=10, x=0.01, ha="left")
        left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
        _draw_differences(left, result)
        _draw_ranks(right, result)
        figure.supxlabel(_legend(result), fontsize=7.5, x=0.01, ha="left", color=INK)


def _draw_differences(axis: Axes, result: CompareResult) -> None:
    """Every query's difference, largest gain first, with the mean and its intervals."""
    first = result.measures[0]
    values = np.sort(by_query(result.lines)["difference"].to_numpy(dtype=np.float64))[::-1] * PERCENT.factor
    places = np.arange(len(values) + 1) + 0.5
    for colour, part in ((GAIN, np.maximum(values, 0)), (LOSS, np.minimum(values, 0))):
        axis.stairs(part, places, fill=True, color=colour, linewidth=0)
    for kind, shade in (("method", 0.18), ("checkpoints", 0.4)):
        interval = first.difference[kind]
        if interval:
            low, high = (interval[end] * PERCENT.factor for end in ("low", "high"))
            axis.axhspan(low, high, color=INK, alpha=shade, linewidth=0, zorder=2)
    mean = first.difference["value"] * PERCENT.factor
    axis.axhline(mean, color=INK, linewidth=1.2, linestyle="--", zorder=3)
    axis.axhline(0, color=INK, linewidth=0.9, zorder=1)
    _write_outcome(axis, result)
    axis.grid(visible=False, axis="x")
    axis.grid(axis="y")
    axis.set_xlim(0.5, len(values) + 0.5)
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axis.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    axis.set_xlabel(f"queries, largest gain of A first ({first.outcome.queries:,})")
    axis.set_ylabel(f"difference in {first.label} (percentage points)")
    axis.set_title(textwrap.fill(f"{result.a.name} (A) minus {result.b.name} (B)", 70), loc="left")


def _write_outcome(axis: Axes, result: CompareResult) -> None:
    """Write how often each side is better into the empty corners."""
    first, of = result.measures[0], result.measures[0].outcome
    difference = first.difference
    mean = f"mean {PERCENT.number(difference['value'], signed=True)}"
    lines = [
        f"A better: {of.wins:,} of {of.queries:,}",
        f"equal: {of.ties:,}",
        f"{mean} {PERCENT.interval_of(difference['checkpoints'])}",
        *([f"with seeds {PERCENT.interval_of(difference['method'])}"] if difference["method"] else []),
    ]
    axis.text(0.97, 0.98, "\n".join(lines), transform=axis.transAxes, va="top", ha="right")
    axis.text(0.03, 0.03, f"B better: {of.losses:,} of {of.queries:,}", transform=axis.transAxes, va="bottom")


def _draw_ranks(axis: Axes, result: CompareResult) -> None:
    """Counts of relevant documents by their ranks, darker for more."""
    counts = result.joint.to_numpy(dtype=np.float64)
    shade = LogNorm(0.5, 2 * max(float(counts.max()), 1.0))
    axis.imshow(np.ma.masked_equal(counts, 0), cmap="Greys", norm=shade, aspect="auto")
    for (line, column), count in np.ndenumerate(counts):
        ink = "white" if count and shade(count) > DARK else INK
        axis.text(column, line, f"{int(count):,}", ha="center", va="center", fontsize=8, color=ink)
    names = [str(name) for name in result.joint.columns]
    axis.set_xticks(range(len(names)), [name.replace(" in ", " in\n") for name in names], fontsize=7.5)
    axis.set_yticks(range(len(names)), names, fontsize=7.5)
    axis.grid(visible=False)
    axis.tick_params(length=0)
    axis.set_xlabel(textwrap.fill(f"rank under {result.b.name} (B)", 50))
    axis.set_ylabel(textwrap.fill(f"rank under {result.a.name} (A)", 45))
    axis.set_title("Relevant documents by rank", loc="left")


def _legend(result: CompareResult) -> str:
    seeds = len(result.seeds)
    bands = f"{100 * LEVEL:g} % CI over queries"
    if result.by_seed and seeds > 1:
        bands = f"dark band: {bands}; pale: over queries and seeds"
    else:
        bands = f"band: {bands}"
    mean = f", mean of {seeds} seeds" if seeds > 1 else ""
    counted = ", each counted once a seed" if seeds > 1 else ""
    return (
        f"Left: a bar a query{mean}; dashed: mean difference; {bands}.\n"
        f"Right: relevant documents{counted}; those below the diagonal rank higher under B."
    )
