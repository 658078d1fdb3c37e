"""Formatting of seconds: three significant digits, in the paper's unit."""

from __future__ import annotations

from collections.abc import Sequence

from harness.reports.content import Machine, SecondsCell
from harness.reports.document import Field
from harness.reports.text import NOTHING, list_text, missing_field

PARTS = {"s": 1, "ms": 1000}


def seconds_text(value: float | None, unit: str) -> str:
    """Return seconds as text in a unit.

    >>> seconds_text(0.0123456, "ms")
    '12.3'
    """
    return NOTHING if value is None else f"{value * PARTS[unit]:.3g}"


def seconds_field(cell: SecondsCell, unit: str) -> Field:
    """Return the median with the quartiles over runs, or the state of a cell without figures."""
    reproduced = cell.reproduced
    if reproduced is None:
        return missing_field(cell.state)
    if reproduced.low is None:
        return Field(seconds_text(reproduced.median, unit))
    ends = ", ".join(seconds_text(end, unit) for end in (reproduced.low, reproduced.high))
    return Field(f"{seconds_text(reproduced.median, unit)} [{ends}]")


def hardware_text(machines: Sequence[Machine]) -> str:
    """Return the machines of the runs as text."""
    texts = []
    for machine in machines:
        gpus = f"{len(machine.gpus)} x {machine.gpus[0]}" if machine.gpus else "no GPU"
        texts.append(f"{machine.cpu}, {machine.cores} cores, torch threads: {machine.threads}, {gpus}")
    return list_text(texts) if texts else "nothing was run"
