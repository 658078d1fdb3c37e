"""A target at a glance: how many of its figures were made, and the one that its paper rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from harness.reports.comparison.cells import NOT_COMPARED
from harness.reports.comparison.content import ComparisonCells
from harness.reports.comparison.differences import best_interval
from harness.reports.content import Cell, Cells, Difference, IntervalKind, MeasuredCell
from harness.reports.pages import Headline
from harness.reports.sweep.cells import SweepCells
from harness.reports.text import Style, column_style, published_text, reproduced_field
from harness.specs.sampler_paths import value_text

Line = TypeVar("Line")


def headline(cells: Cells) -> Headline | None:
    """Return the headline of a table; none where nothing is published in its primary measure."""
    if isinstance(cells, ComparisonCells):
        return _compared(cells)
    return _swept(cells) if isinstance(cells, SweepCells) else None


def figures_text(cells: Cells) -> str:
    """Return how many figures were made, of those that are published where there are any."""
    figures = list(_figures(cells))
    printed = [cell for cell in figures if cell.published]
    made = sum(cell.state == "ok" for cell in printed or figures)
    if printed:
        return f"{made} of {len(printed)} published figures"
    return f"{made} figure{'s' if made != 1 else ''}" if made else ""


def _figures(cells: Cells) -> Iterator[Cell]:
    """Yield the cells of all rows and points."""
    for line in [*getattr(cells, "rows", ()), *getattr(cells, "points", ())]:
        for cell in [*getattr(line, "cells", ()), *getattr(line, "costs", ())]:
            if isinstance(cell, Cell):
                yield cell


def _best(lines: Sequence[tuple[Line, MeasuredCell]]) -> tuple[Line, MeasuredCell] | None:
    """Return the line with the best published figure; of several, the last one."""
    printed = [(line, cell, cell.published.value) for line, cell in lines if cell.published]
    if not printed:
        return None
    line, cell, _ = max(reversed(printed), key=lambda each: each[2])
    return line, cell


def _compared(cells: ComparisonCells) -> Headline | None:
    place = cells.primary_place
    best = _best([(row, row.cells[place]) for row in cells.rows if row.kind not in NOT_COMPARED])
    if best is None:
        return None
    row, cell = best
    style = column_style(cells.unit, cells.rows, place)
    block = None if cells.is_baseline(row.name) else cells.difference(row, place)
    printed = block.published if block else None
    return Headline(
        row=row.name,
        measure=cells.primary,
        minus=(cells.minus(row) or "") if block else "",
        published=published_text(cell),
        published_difference=style.number(printed.value, signed=True) if printed else "",
        reproduced=reproduced_field(cell, style),
        difference=_difference_text(block, style, best_interval(cells)) if block else "",
    )


def _difference_text(block: Difference, style: Style, kind: IntervalKind) -> str:
    if block.value is None:
        return ""
    return f"{style.number(block.value, signed=True)} {style.interval(block.interval(kind))}"


def _swept(cells: SweepCells) -> Headline | None:
    place = cells.primary_place
    best = _best([(point, point.cells[place]) for point in cells.points])
    if best is None:
        return None
    point, cell = best
    return Headline(
        row=f"{point.row} at {cells.parameter} {value_text(point.at)}",
        measure=cells.primary,
        minus="",
        published=published_text(cell),
        published_difference="",
        reproduced=reproduced_field(cell, column_style(cells.unit, cells.points, place)),
        difference="",
    )
