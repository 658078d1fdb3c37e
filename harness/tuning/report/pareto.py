"""The settings of two objectives than which no other is better in both."""

from __future__ import annotations

from collections.abc import Sequence

from harness.tuning.report.result import Found, Study, Trial

Pair = tuple[Trial, tuple[float, ...]]


def front_of(found: Found, study: Study) -> Sequence[Pair]:
    """Return the finished trials of the front, the best on the first objective first."""

    def gains(values: tuple[float, ...]) -> tuple[float, float]:
        return found.gain(values[0]), found.gain(values[1], 1)

    ordered = sorted(study.complete, key=lambda pair: gains(pair[1]), reverse=True)
    front: list[Pair] = []
    for pair in ordered:
        if not front or gains(pair[1])[1] > gains(front[-1][1])[1]:
            front.append(pair)
    return front
