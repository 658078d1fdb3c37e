"""A figure in a notebook, drawn by the plot function of a report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class NotebookFigure:
    """A figure that a notebook displays as the value of a cell.

    Attributes:
        png: content of the PNG file.
    """

    png: bytes = field(repr=False)

    def _repr_png_(self) -> bytes:
        return self.png


def show_figure(draw: Callable[..., None], *what: Any, **how: Any) -> NotebookFigure:
    """Return the figure that a plot function draws.

    Args:
        draw: plot function of data, paths of an SVG and a PNG file, and keywords.
        *what: data for the function.
        **how: keywords for the function.
    """
    with tempfile.TemporaryDirectory() as folder:
        svg, png = Path(folder) / "figure.svg", Path(folder) / "figure.png"
        draw(*what, svg, png, **how)
        return NotebookFigure(png.read_bytes())
