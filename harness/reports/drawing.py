"""The style of all figures: readable in grey and by the colour-blind, the same bytes from the same cells."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from harness.storage.files import write_bytes

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Colours that stay apart for the colour-blind (Okabe and Ito 2008); yellow is too pale on white."""

MARKERS = "osD^vPX*"
"""One a row, so that rows stay apart in grey."""

LINES = ("-", "--", "-.", ":")
"""One a row, where points are joined; likewise."""

INK = "#333333"

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "harness",  # element ids are random without it
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.grid.axis": "x",
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "ytick.left": False,
}


def line_look(number: int) -> dict[str, Any]:
    """Return how the points of a row are drawn that lines join."""
    return {
        "color": OKABE_ITO[number % len(OKABE_ITO)],
        "marker": MARKERS[number % len(MARKERS)],
        "linestyle": LINES[number % len(LINES)],
        "markersize": 5.5,
        "markeredgecolor": "black",
        "markeredgewidth": 0.5,
        "linewidth": 1.3,
        "zorder": 3,
    }


@contextmanager
def figure_to(svg: Path, png: Path, width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure in this style and write it, in both formats, when the block ends.

    Args:
        svg: where to write the vector figure.
        png: where to write the bitmap, 150 dots an inch.
        width: in inches.
        height: in inches.
    """
    with mpl.rc_context({**mpl.rcParamsDefault, **STYLE}):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        write_bytes(svg, _bytes(figure, "svg", {"Date": None, "Creator": "harness"}))
        write_bytes(png, _bytes(figure, "png", {"Software": None}))


def describe(figure: Figure, title: str, legend: str) -> None:
    """Write what a figure is above it, and how it is read below it."""
    entitle(figure, title)
    figure.supxlabel(legend, fontsize=7.5, x=0.01, ha="left", color=INK)


def entitle(figure: Figure, title: str) -> None:
    """Write what a figure is above it, line by line."""
    lines = [line for part in title.splitlines() for line in textwrap.wrap(part, 125)]
    figure.suptitle("\n".join(lines), fontsize=10, x=0.01, ha="left")


def few_ticks(axis: Axis) -> None:
    """Mark round numbers, few enough for a narrow panel and enough to read a value."""
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def log_ticks(axis: Axis) -> None:
    """Mark 1 and 3 of each power of ten on a logarithmic axis, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _bytes(figure: Figure, kind: str, metadata: dict[str, str | None]) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, dpi=150, metadata=metadata)
    return stream.getvalue()
