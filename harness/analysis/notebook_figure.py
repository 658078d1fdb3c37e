"""A figure for a notebook, drawn by the function that draws it for a page."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class NotebookFigure:
    """What a notebook shows in the place of a cell's value.

    Attributes:
        png: bytes of the figure.
    """

    png: bytes = field(repr=False)

    def _repr_png_(self) -> bytes:
        return self.png


def show_figure(draw: Callable[..., None], *what: Any, **how: Any) -> NotebookFigure:
    """Return what a plot function draws, as a picture.

    Args:
        draw: takes data, the two files that it writes (SVG and PNG), and keywords.
        *what: the data.
        **how: passed on.
    """
    with tempfile.TemporaryDirectory() as folder:
        svg, png = Path(folder) / "figure.svg", Path(folder) / "figure.png"
        draw(*what, svg, png, **how)
        return NotebookFigure(png.read_bytes())
