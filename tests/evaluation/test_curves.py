"""Curves over steps and seconds, from a run's lines of metrics."""

from __future__ import annotations

from typing import Any

import pytest

from harness.evaluation.curves import DevPoint, mean_curve, run_curve
from harness.evaluation.measures import DEV_MEASURE


def lines(seconds: bool = True) -> list[dict[str, Any]]:
    """Four steps of 1 s, watched and mined after two of them (mining takes 10 s), after a pause at step 3."""
    steps = [
        {"phase": "continued", "step": step, "time": 1e6 * step, **({"seconds": 1.0} if seconds else {})}
        for step in (1, 2, 3, 4)
    ]
    watched = {"phase": "continued dev", "step": 2, "time": 0.0, DEV_MEASURE: 0.5}
    mined = {"phase": "continued mining", "step": 2, "time": 0.0}
    mined |= {"seconds_encoding": 6.0, "seconds_mining": 4.0, "seconds_watching": 100.0}
    return [*steps[:2], watched, mined, *steps[2:], {"phase": "base", "step": 9, "time": 0.0}]


def curve(seconds: bool = True, begin: float = 0.25, reached: float = 0.75) -> dict[int, DevPoint]:
    return run_curve(lines(seconds), "continued", DEV_MEASURE, begin=begin, end=(4, reached))


def test_a_curve_begins_at_the_base_and_ends_at_the_finished_run() -> None:
    assert curve() == {0: DevPoint(0.25, 0.0), 2: DevPoint(0.5, 2.0), 4: DevPoint(0.75, 14.0)}


def test_a_rankers_steps_are_work_too() -> None:
    ranked = {"phase": "continued ranker", "step": 3, "time": 0.0, "seconds": 7.0}
    steps = [line for line in lines() if (line["phase"], line["step"]) != ("continued", 3)]
    points = run_curve([*steps, ranked], "continued", DEV_MEASURE, begin=0.25, end=(4, 0.75))
    assert points[4].seconds == 20.0


def test_without_recorded_seconds_there_are_steps_alone() -> None:
    assert {step: point.seconds for step, point in curve(seconds=False).items()} == {
        0: None,
        2: None,
        4: None,
    }


def test_the_interval_is_students_over_seeds() -> None:
    begins, middle, last = mean_curve([curve(begin=0.2), curve(begin=0.3), curve(begin=0.4)], 0.95)
    assert (begins["step"], middle["step"], last["step"]) == (0, 2, 4)
    half = 4.302652729911275 * 0.1 / 3**0.5  # t at 97.5 %, 2 degrees of freedom
    assert (begins["mean"], begins["sd"]) == pytest.approx((0.3, 0.1))
    assert (begins["low"], begins["high"]) == pytest.approx((0.3 - half, 0.3 + half))
    assert last["seconds"] == 14.0 and last["low"] == last["high"] == 0.75
    (first, *_) = mean_curve([curve()], 0.95)
    assert first["low"] is None and first["sd"] is None


def test_steps_that_a_seed_lacks_are_left_out() -> None:
    other = {step: point for step, point in curve().items() if step != 2}
    assert [point["step"] for point in mean_curve([curve(), other], 0.95)] == [0, 4]
    assert mean_curve([curve(), curve(seconds=False)], 0.95)[1]["seconds"] is None
