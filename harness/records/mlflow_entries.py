"""Run folders in MLflow's terms: flat params, metric names, points of metrics, tags to filter by."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import UserError

NOT_METRICS = ("phase", "step", "time")
"""Keys of a line of metrics.jsonl that locate its metrics."""

PACKAGES = ("torch", "transformers", "numpy")
"""Packages whose versions become tags; environment.json has all packages."""


class MetricPoint(NamedTuple):
    """A value of a metric at a step; `time_ms` counts from the epoch."""

    name: str
    value: float
    time_ms: int
    step: int


def metric_name(name: str) -> str:
    """Return a name with the characters that MLflow allows: ``RR(rel=2)@10`` becomes ``RR_rel_2_at_10``."""
    plain = re.sub(r"[^\w./ -]+", "_", name.replace("@", "_at_"))
    return re.sub(r"__+", "_", plain).strip("_")[:250]


def line_points(line: dict[str, Any]) -> list[MetricPoint]:
    """Return the points of one line of metrics.jsonl, named ``phase/metric``."""
    time_ms = int(float(line["time"]) * 1000)
    return [
        MetricPoint(metric_name(f"{line['phase']}/{key}"), float(value), time_ms, int(line["step"]))
        for key, value in line.items()
        if key not in NOT_METRICS and _is_number(value)
    ]


def lines_from(path: Path, offset: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the complete lines of metrics.jsonl, each with the byte offset of its end.

    Args:
        path: path of the file, which may be missing.
        offset: byte offset of the first line to read.

    Raises:
        UserError: a line is corrupt.
    """
    if not path.exists():
        return
    with path.open("rb") as stream:
        stream.seek(offset)
        for line in stream:
            if not line.endswith(b"\n"):
                return
            try:
                content = json.loads(line)
                if not isinstance(content, dict):
                    raise TypeError("no object")
            except (ValueError, TypeError, RecursionError) as error:
                fix = f"delete the folder {path.parent} and run again"
                raise UserError(f"corrupt line at byte {offset}", where=str(path), fix=fix) from error
            offset += len(line)
            yield content, offset


def skip_lines(path: Path, lines: int) -> tuple[int, int]:
    """Return the number of complete lines among a file's first lines, and the byte offset of their end."""
    whole, offset = 0, 0
    if path.exists():
        with path.open("rb") as stream:
            while whole < lines and (line := stream.readline()).endswith(b"\n"):
                whole, offset = whole + 1, offset + len(line)
    return whole, offset


def flatten(value: Any, prefix: str = "", *, numbers: bool = False) -> dict[str, str]:
    """Return a nested mapping as ``{"a.b": "text"}``, with lists as JSON.

    Args:
        value: a mapping read from JSON.
        prefix: prefix of all keys.
        numbers: whether to keep numbers only.
    """
    flat: dict[str, str] = {}
    for key, inner in value.items():
        name = metric_name(f"{prefix}{key}")
        if isinstance(inner, dict):
            flat |= flatten(inner, f"{name}.", numbers=numbers)
        elif not numbers or _is_number(inner):
            flat[name] = inner if isinstance(inner, str) else json.dumps(inner)
    return flat


def environment_tags(environment: dict[str, Any]) -> dict[str, str]:
    """Return tags from environment.json to filter by, without unknown values.

    Args:
        environment: content of environment.json (`harness.records.environment.describe_environment`).
    """
    hardware, versions = environment.get("hardware", {}), environment.get("packages", {})
    names = Counter(gpu["name"] for gpu in hardware.get("gpus", ()))
    gpu_names = ", ".join(f"{count} x {name}" if count > 1 else name for name, count in names.items())
    values = {
        "commit": environment.get("commit"),
        "dirty": environment.get("dirty"),
        "hardware": gpu_names or hardware.get("cpu"),
        "threads": environment.get("threads"),
        "python": environment.get("python"),
        **{name: versions.get(name) for name in PACKAGES},
    }
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
        if value is not None
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
