"""The figures that the papers print, as committed in `published_figures.csv`: texts, with every digit.

A line is a target, a row and its figures; a line without a row names the columns, those of several datasets
by the dataset first. A row of a sweep is named with its value. What is blank is not printed, or printed as a
dash. The seconds of TriSampler's Table 6 stand without their unit.
"""

from __future__ import annotations

import csv
from pathlib import Path

FILE = Path(__file__).with_name("published_figures.csv")

Figures = dict[str, dict[str, str | None]]
"""Row -> column -> figure."""


def transcription() -> dict[str, Figures]:
    """Return the figures of each target that prints any."""
    targets: dict[str, Figures] = {}
    columns: list[str] = []
    with FILE.open(encoding="utf-8") as lines:
        for target, row, *figures in csv.reader(lines):
            rows = targets.setdefault(target, {})
            if row:
                rows[row] = {column: figure or None for column, figure in zip(columns, figures, strict=True)}
            else:
                columns = figures
    return targets
