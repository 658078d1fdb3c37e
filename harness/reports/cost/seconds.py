"""How seconds are written: three digits that count, in the unit of the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.reports.document import Field
from harness.reports.text import NOTHING, list_text, reproduced_field, unit_style

PARTS = {"s": 1, "ms": 1000}


def seconds_text(value: float | None, unit: str) -> str:
    """Return seconds in a unit.

    >>> seconds_text(0.0123456, "ms")
    '12.3'
    """
    return NOTHING if value is None else f"{value * PARTS[unit]:.3g}"


def seconds_field(cell: Mapping[str, Any], unit: str) -> Field:
    """Return the median with the quartiles over runs, or why there is none."""
    made = cell["reproduced"]
    if made is None:
        return reproduced_field(cell, unit_style({"unit": unit}))
    if made["low"] is None:
        return Field(seconds_text(made["median"], unit))
    ends = ", ".join(seconds_text(made[end], unit) for end in ("low", "high"))
    return Field(f"{seconds_text(made['median'], unit)} [{ends}]")


def hardware_text(machines: Sequence[Mapping[str, Any]]) -> str:
    """Return what runs were made on."""
    told = []
    for of in machines:
        gpus = f"{len(of['gpus'])} x {of['gpus'][0]}" if of["gpus"] else "no GPU"
        told.append(f"{of['cpu']}, {of['cores']} cores, torch threads: {of['threads']}, {gpus}")
    return list_text(told) if told else "nothing was run"
