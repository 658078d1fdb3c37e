"""Texts for figures that are not measures: counts of a collection, seconds of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.evaluation.costs import COSTS
from harness.reports.cost.seconds import hardware_text, seconds_field
from harness.reports.text import count_text
from harness.specs.kinds.statistics import Counted


def counted_text(cells: Mapping[str, Any] | None, place: int, row: Counted) -> str:
    """Return the count in a dataset's stand-in collection; empty if the target was not reproduced.

    Args:
        cells: content of `cells.json`, where the target was reproduced.
        place: of the column.
        row: of the dataset.
    """
    if row.dataset is None:
        return f"not counted here: the row is {row.kind}"
    counted_row = next((of for of in (cells or {"rows": []})["rows"] if of["name"] == row.name), None)
    if cells is None or counted_row is None:
        return ""
    counted = counted_row["cells"][place]["counted"]
    name = cells["collections"][row.dataset]["name"]
    text = "none" if counted is None else count_text(counted)
    return f"{text} in {name}, the stand-in for {row.dataset}"


def seconds_text_of(name: str, column: Mapping[str, Any], cells: Mapping[str, Any]) -> str:
    """Return the recorded value of a row in a column of seconds."""
    rows, cells_key = ("points", "costs") if "points" in cells else ("rows", "cells")
    row = next((of for of in cells[rows] if of["name"] == name), None)
    place = [of["label"] for of in cells["costs"]].index(column["label"])
    if row is None or row[cells_key][place]["reproduced"] is None:
        return "not reproduced"
    unit = cells["costs"][place]["unit"]
    text = seconds_field(row[cells_key][place], unit).text
    return f"{text} {unit}: {COSTS[column['cost']]}; on {hardware_text(cells['hardware'])}"
