"""Texts for figures that are not measures: counts of a collection, seconds of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.evaluation.costs import COSTS
from harness.reports.cost.seconds import hardware_text, seconds_field
from harness.reports.text import count_text
from harness.specs.kinds import Counted

if TYPE_CHECKING:
    from harness.provenance.cell import Cell


def counted_text(cell: Cell, row: Counted) -> str:
    """Return the count in a dataset's stand-in collection; empty if the target was not reproduced."""
    if row.dataset is None:
        return f"not counted here: the row is {row.kind}"
    counted_row = next((of for of in (cell.cells or {"rows": []})["rows"] if of["name"] == row.name), None)
    if cell.cells is None or counted_row is None:
        return ""
    counted = counted_row["cells"][cell.place]["counted"]
    name = cell.cells["collections"][row.dataset]["name"]
    text = "none" if counted is None else count_text(counted)
    return f"{text} in {name}, the stand-in for {row.dataset}"


def seconds_text_of(cell: Cell, cells: Mapping[str, Any]) -> str:
    """Return the recorded value of a column of seconds."""
    rows, cells_key = ("points", "costs") if "points" in cells else ("rows", "cells")
    row = next((of for of in cells[rows] if of["name"] == cell.row.name), None)
    place = [of["label"] for of in cells["costs"]].index(cell.column["label"])
    if row is None or row[cells_key][place]["reproduced"] is None:
        return "not reproduced"
    unit = cells["costs"][place]["unit"]
    text = seconds_field(row[cells_key][place], unit).text
    return f"{text} {unit}: {COSTS[cell.column['cost']]}; on {hardware_text(cells['hardware'])}"
