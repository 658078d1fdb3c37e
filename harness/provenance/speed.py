"""Where the seconds of a run's steps went, and how fast they were, from its metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

PARTS = ("data", "forward", "backward", "communication", "optimizer")
REFRESH = ("seconds_encoding", "seconds_mining", "seconds_watching")


def speed_lines(metrics: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield what a run tells of its speed; nothing of runs that were made before steps told it.

    Args:
        metrics: lines of the run's metrics.
    """
    steps = [line for line in metrics if "tokens_per_second" in line]
    if not steps:
        return
    seconds = _sum(steps, "seconds")
    parts = {part: _sum(steps, f"seconds_{part}") / seconds for part in PARTS}
    told = ", ".join(f"{part} {share:.0%}" for part, share in parts.items() if share)
    yield "steps", f"{seconds:.3g} s: {told}"
    refresh = sum(_sum(metrics, key) for key in REFRESH)
    if refresh:
        yield "refreshes", f"{refresh:.3g} s, {refresh / (seconds + refresh):.0%} of both"
    share = _sum(steps, "seconds_at_matrix_rate") / seconds
    tokens = _sum(steps, "tokens") / seconds
    yield "speed", f"{tokens:,.0f} tokens a second, {share:.0%} of the rate of a product of matrices (MFU)"


def _sum(lines: Sequence[Mapping[str, Any]], key: str) -> float:
    return float(sum(line.get(key) or 0.0 for line in lines))
