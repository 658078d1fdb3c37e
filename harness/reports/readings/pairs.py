"""What table, figure and console read from the cells of a specification curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.reports.text import Cells, row_text

Pair = Mapping[str, Any]

INTERVALS = {"checkpoints": "these checkpoints", "method": "the method"}


def compared(cells: Cells) -> list[str]:
    """Return the rows that the focus is compared with, in their order."""
    return [summary["row"] for summary in cells["summary"]]


def sorted_pairs(cells: Cells, row: str) -> list[Pair]:
    """Return the pairs with a row, the lowest difference first."""
    own = [pair for pair in cells["pairs"] if pair["row"] == row]
    return sorted(own, key=lambda pair: (pair["value"], pair["reading"], pair["other"]))


def chosen(cells: Cells, pair: Pair) -> dict[str, Any]:
    """Return the values that a pair's two readings take, by path in the order of the target."""
    readings = {of["name"]: of["reading"] for of in cells["readings"]}
    both = {**readings[pair["reading"]], **readings[pair["other"]]}
    return {path: both[path] for path in cells["paths"] if path in both}


def named(cells: Cells, row: str) -> str:
    """Return a row's name with its kind."""
    return row_text(cells, next({**of, "name": row} for of in cells["readings"] if of["row"] == row))
