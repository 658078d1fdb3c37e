"""The figure of all laws: weight over score gap, with a panel for each law and a line for each reading."""

from __future__ import annotations

import io
from typing import Any, get_args

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from harness.methods.curves import BEST, GAP, assumptions, weights
from harness.negatives.laws.law import Law
from harness.negatives.registry import LAWS, make_law
from harness.reports.drawing import INK, OKABE_ITO, STYLE

COLUMNS = 3
LOWEST = -8

READINGS = ("reading", "shape")
"""Parameters that choose a law's formula; each of their values has a line."""

DASHES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (4, 1, 1, 1, 1, 1)), (0, (7, 2)))
"""One style for each line, to distinguish lines in grey."""


def draw_laws() -> bytes:
    """Return the figure as SVG; equal laws yield identical bytes."""
    with mpl.rc_context({**mpl.rcParamsDefault, **STYLE, "axes.grid.axis": "both", "ytick.left": True}):
        lines = -(-len(LAWS) // COLUMNS)
        figure = Figure(figsize=(9.6, 2.0 * lines + 0.7), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(lines, COLUMNS, squeeze=False, sharex=True, sharey=True)
        for axis, name in zip(axes.flat, LAWS, strict=False):
            _draw_law(axis, name)
        for axis in axes.flat[len(LAWS) :]:
            axis.set_axis_off()
        for axis in axes[:, 0]:
            axis.set_ylabel("weight / largest")
        for axis in axes.flat[: len(LAWS)][-COLUMNS:]:  # those with no panel below
            axis.set_xlabel("s(q, d−) − s(q, d+)")
            axis.tick_params(labelbottom=True)
        figure.supxlabel(_caption(), fontsize=7.5, x=0.01, ha="left", color=INK)
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": "harness"})
    return stream.getvalue()


def variants(name: str) -> dict[str, Law]:
    """Return a law in each of its readings, by label; the label is empty if there is only one formula."""
    law: Any = LAWS[name]
    for parameter in READINGS:
        if parameter in law.model_fields:
            values = get_args(law.model_fields[parameter].annotation)
            return {value: make_law(name, {parameter: value}) for value in values}
    return {"": make_law(name)}


def _draw_law(axis: Axes, name: str) -> None:
    for (label, law), colour, dashes in zip(variants(name).items(), OKABE_ITO, DASHES, strict=False):
        axis.plot(GAP, weights(law), color=colour, linestyle=dashes, linewidth=1.5, label=label)
    axis.axvline(0, color=INK, linewidth=0.7, zorder=1)
    axis.set_title(name, loc="left")
    axis.set_xlim(LOWEST, BEST)
    axis.set_ylim(-0.04, 1.08)
    if len(axis.get_lines()) > 2:
        axis.legend(frameon=False, fontsize=7.5, handlelength=2.6)


def _caption() -> str:
    return f"Default parameters; a line for each reading of a law. {assumptions(union=True)}"
