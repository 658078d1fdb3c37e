"""Marks of significance behind reproduced figures, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, Literal

from harness.reports.text import Cells, primary_position

ADJUSTED, UNADJUSTED = "*", "†"


def best_interval(cells: Cells) -> Literal["method", "checkpoints"]:
    """Return the kind of interval that says most: of the method, where there are several seeds."""
    return "method" if len(cells["seeds"]) > 1 else "checkpoints"


def significance(cells: Cells, position: int, block: Mapping[str, Any] | None) -> str:
    """Return the mark of a row's difference to the baseline in a column; empty where 0 is not excluded."""
    if block is None or block["value"] is None:
        return ""
    if position == primary_position(cells):
        p_value = block["holm_p"]
        return ADJUSTED if p_value is not None and p_value < 1 - cells["level"] else ""
    interval = block[best_interval(cells)]
    return UNADJUSTED if interval and not interval["low"] <= 0 <= interval["high"] else ""


def mark_notes(cells: Cells, used: Set[str]) -> tuple[str, ...]:
    """Return a sentence for each mark that a table uses."""
    what = {"method": "the method", "checkpoints": "these checkpoints"}[best_interval(cells)]
    level = f"{100 * (1 - cells['level']):.3g} %"
    meanings = {
        ADJUSTED: f"after Holm's correction over the rows{' and the pairs' if 'pairs' in cells else ''}",
        UNADJUSTED: "not adjusted for the number of rows and measures",
    }
    return tuple(
        f"Marked {mark}: differs from {cells['baseline']} at {level}, for {what}, {meaning}."
        for mark, meaning in meanings.items()
        if mark in used
    )
