"""Run folders in MLflow's terms: flat params, metric names, one point a number."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

NOT_METRICS = ("phase", "step", "time")
"""Keys of a line of metrics.jsonl that say where a number belongs."""


class Point(NamedTuple):
    """One number of a metric; `time_ms` since the epoch."""

    name: str
    value: float
    time_ms: int
    step: int


def metric_name(name: str) -> str:
    """Return a name of the letters that MLflow allows: ``RR(rel=2)@10`` becomes ``RR_rel_2_at_10``."""
    plain = re.sub(r"[^\w./ -]+", "_", name.replace("@", "_at_"))
    return re.sub(r"__+", "_", plain).strip("_")[:250]


def line_points(line: dict[str, Any]) -> list[Point]:
    """Return the numbers of one line of metrics.jsonl, named ``phase/metric``."""
    time_ms = int(float(line["time"]) * 1000)
    return [
        Point(metric_name(f"{line['phase']}/{key}"), float(value), time_ms, int(line["step"]))
        for key, value in line.items()
        if key not in NOT_METRICS and _is_number(value)
    ]


def whole_lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl that are written to their end; none if the file is missing."""
    if not path.exists():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def flatten(value: Any, prefix: str = "", *, numbers: bool = False) -> dict[str, str]:
    """Return a nested mapping as ``{"a.b": "text"}``; lists are written as JSON.

    Args:
        value: a mapping, from JSON.
        prefix: put before each key.
        numbers: leave out all that is no number.
    """
    flat: dict[str, str] = {}
    for key, inner in value.items():
        name = metric_name(f"{prefix}{key}")
        if isinstance(inner, dict):
            flat |= flatten(inner, f"{name}.", numbers=numbers)
        elif not numbers or _is_number(inner):
            flat[name] = inner if isinstance(inner, str) else json.dumps(inner)
    return flat


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
