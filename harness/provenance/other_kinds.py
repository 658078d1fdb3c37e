"""Texts for figures that are not measures: counts of a collection, seconds of a run."""

from __future__ import annotations

from harness.evaluation.costs import COSTS
from harness.reports.content import Cells, SecondsCell
from harness.reports.cost.cells import CostCells
from harness.reports.cost.seconds import hardware_text, seconds_field
from harness.reports.statistics.cells import StatisticsCells
from harness.reports.sweep.cells import SweepCells
from harness.reports.text import count_text
from harness.specs.kinds.statistics import Counted


def counted_text(cells: Cells | None, place: int, row: Counted) -> str:
    """Return the count in a dataset's stand-in collection; empty if the target was not reproduced.

    Args:
        cells: content of `cells.json`, where the target was reproduced.
        place: of the column.
        row: of the dataset.
    """
    if row.dataset is None:
        return f"not counted here: the row is {row.kind}"
    if not isinstance(cells, StatisticsCells):
        return ""
    counted_row = next((of for of in cells.rows if of.name == row.name), None)
    if counted_row is None:
        return ""
    counted, name = counted_row.cells[place].counted, cells.collection_of(row.dataset).name
    text = "none" if counted is None else count_text(counted)
    return f"{text} in {name}, the stand-in for {row.dataset}"


def seconds_text_of(name: str, label: str, cells: CostCells | SweepCells) -> str:
    """Return the recorded value of a row in a column of seconds."""
    place = [of.label for of in cells.costs].index(label)
    cell = _seconds_cell(name, place, cells)
    if cell is None or cell.reproduced is None:
        return "not reproduced"
    column = cells.costs[place]
    text = seconds_field(cell, column.unit).text
    return f"{text} {column.unit}: {COSTS[column.cost]}; on {hardware_text(cells.hardware)}"


def _seconds_cell(name: str, place: int, cells: CostCells | SweepCells) -> SecondsCell | None:
    if isinstance(cells, SweepCells):
        return next((point.costs[place] for point in cells.points if point.name == name), None)
    return next((row.cells[place] for row in cells.rows if row.name == name), None)
