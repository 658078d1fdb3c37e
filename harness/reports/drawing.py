"""The style of all figures: readable in grey and by the colour-blind, with reproducible bytes."""

from __future__ import annotations

import functools
import io
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from harness.errors import printable
from harness.storage.files import write_bytes

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Colours that the colour-blind can distinguish (Okabe and Ito 2008); yellow is too pale on white."""

MARKERS = "osD^vPX*"
"""One marker for each row, to distinguish rows in grey."""

LINES = ("-", "--", "-.", ":")
"""One line style for each row, to distinguish rows in grey."""

INK = "#333333"

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "harness",  # element ids are random without it
    "svg.fonttype": "none",  # letters are letters: found, copied and read aloud, and a third of the bytes
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
    """Return the style of a row's points and of the line through them."""
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
    """Yield an empty figure in this style, and write it in both formats when the block ends.

    Args:
        svg: path of the vector figure to write.
        png: path of the bitmap to write, 150 dots per inch.
        width: width of the figure in inches.
        height: height of the figure in inches.
    """
    with mpl.rc_context({**mpl.rcParamsDefault, **STYLE}):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        _show_texts(figure)
        write_bytes(svg, _compact(_bytes(figure, "svg", {"Date": None, "Creator": "harness"})))
        write_bytes(png, _bytes(figure, "png", {"Software": None}))


def _compact(svg: bytes) -> bytes:
    """Return an SVG without indentation, coordinates rounded to a hundredth of a point, texts unchanged."""
    text = re.sub(rb"^[ \t]+(?=<)", b"", svg, flags=re.MULTILINE)
    return re.sub(rb"<[^>]+>", lambda tag: _LONG.sub(_to_hundredths, tag.group()), text)


def _to_hundredths(number: re.Match[bytes]) -> bytes:
    return f"{float(number.group()):.2f}".rstrip("0").rstrip(".").encode()


_LONG = re.compile(rb"-?\d+\.\d{3,}")
"""A number of more places than a screen shows."""


def describe(figure: Figure, title: str, legend: str) -> None:
    """Write the title above a figure and the legend below it."""
    entitle(figure, title)
    figure.supxlabel(legend, fontsize=7.5, x=0.01, ha="left", color=INK)


def entitle(figure: Figure, title: str) -> None:
    """Write the title above a figure, with long lines wrapped."""
    lines = [line for part in title.splitlines() for line in textwrap.wrap(part, 125)]
    figure.suptitle("\n".join(lines), fontsize=10, x=0.01, ha="left")


def few_ticks(axis: Axis) -> None:
    """Set ticks at a few round numbers."""
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def log_ticks(axis: Axis) -> None:
    """Set ticks at 1 and 3 of each power of ten on a logarithmic axis, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def legend_label(name: str) -> str:
    """Return a name for a legend, from which matplotlib leaves out what begins with an underscore."""
    return f"\u2060{name}" if name.startswith("_") else name


def _show_texts(figure: Figure) -> None:
    """Make all texts of a figure such that each letter is drawn."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FuncFormatter):  # names at ticks, which it writes anew when it draws
                axis.set_major_formatter(FuncFormatter(_drawable_ticks(formatter)))
    for text in figure.findobj(Text):
        text.set_text(_drawable(text.get_text()))


def _drawable_ticks(formatter: FuncFormatter) -> Callable[[float, int | None], str]:
    return lambda value, place: _drawable(formatter(value, place))


def _drawable(text: str) -> str:
    """Return a text, which may have several lines, with ``U+4E2D`` for a letter that the font lacks.

    Dollar signs are escaped, between which matplotlib reads formulas.
    """
    drawn = "\n".join("".join(map(_glyph, printable(line))) for line in text.split("\n"))
    return drawn.replace("$", r"\$")


def _glyph(letter: str) -> str:
    return letter if letter in _glyphs() else f"U+{ord(letter):04X}"


@functools.cache
def _glyphs() -> frozenset[str]:
    """Return the letters that the font has."""
    return frozenset(map(chr, get_font(findfont(STYLE["font.family"])).get_charmap()))


def _bytes(figure: Figure, kind: str, metadata: dict[str, str | None]) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, dpi=150, metadata=metadata)
    return stream.getvalue()
