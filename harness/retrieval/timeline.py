"""Where the time of a step goes: one part at a time, so that the parts of a step never overlap.

On a GPU the parts are events of its stream, read once the step has waited for it anyway.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, cast

import torch

Part = Literal["data", "forward", "backward", "communication", "optimizer"]
PARTS: tuple[Part, ...] = ("data", "forward", "backward", "communication", "optimizer")


@dataclass
class Timeline:
    """Moments at which a step went over from one part to another.

    Attributes:
        device: whose time is taken.
        tokens: that models read, without padding.
        flops: that models need for it, see :func:`harness.encoders.flops.model_flops`.
    """

    device: torch.device
    tokens: int = 0
    flops: float = 0.0
    _marks: list[tuple[Part | None, float | torch.cuda.Event]] = field(default_factory=list)
    _within: list[Part] = field(default_factory=list)

    @contextmanager
    def part(self, name: Part) -> Iterator[None]:
        """Count the block to a part, and not to the one around it."""
        self._within.append(name)
        self._mark(name)
        try:
            with torch.profiler.record_function(name):
                yield
        finally:
            self._within.pop()
            self._mark(self._within[-1] if self._within else None)

    def _mark(self, name: Part | None) -> None:
        if self.device.type != "cuda":
            self._marks.append((name, time.perf_counter()))
            return
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        self._marks.append((name, event))

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each part, ``seconds_<part>``; to be called once the device is done."""
        seconds: dict[str, float] = {}
        for (name, begin), (_, end) in pairwise(self._marks):
            if name is not None:
                key = f"seconds_{name}"
                seconds[key] = seconds.get(key, 0.0) + _between(begin, end)
        return seconds


def _between(begin: float | torch.cuda.Event, end: float | torch.cuda.Event) -> float:
    if isinstance(begin, float) and isinstance(end, float):
        return end - begin
    passed = cast("torch.cuda.Event", begin).elapsed_time(cast("torch.cuda.Event", end))
    return float(passed) / 1000


_open: list[Timeline] = []


@contextmanager
def measured(device: torch.device) -> Iterator[Timeline]:
    """Measure the block's parts; yields where they are noted."""
    line = Timeline(device)
    _open.append(line)
    try:
        yield line
    finally:
        _open.remove(line)


@contextmanager
def part(name: Part) -> Iterator[None]:
    """Count the block to a part of what is measured; to nothing where nothing is."""
    if not _open:
        yield
        return
    with _open[-1].part(name):
        yield


def count(tokens: int, flops: float) -> None:
    """Count what a model reads."""
    if _open:
        _open[-1].tokens += tokens
        _open[-1].flops += flops
