"""The kinds of interval that table, figure and console show, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.reports.text import Cells


def kinds(cells: Cells) -> dict[str, str]:
    """Return each kind of interval that was made -> what it is called."""
    seeds = len(cells["seeds"])
    named = {
        "checkpoints": f"these checkpoints, {seeds} seeds",
        "method": f"the method, {seeds} seeds",
        "first_seed": "these checkpoints, one seed",
    }
    return {kind: name for kind, name in named.items() if kind in cells["coverage"]}


def interval_of(pair: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return an interval of a pair, with the difference that it is around as ``value``."""
    around = pair["first_seed"] if kind == "first_seed" else pair
    return {**around["method" if kind == "method" else "checkpoints"], "value": around["value"]}
