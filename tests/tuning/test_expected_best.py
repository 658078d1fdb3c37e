"""The expected best of n trials: exact, and honest about pruned and failed ones."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from harness.tuning.report.expected_best import counted_values, expected_band, expected_best
from harness.tuning.report.result import TuningResult, read_result

from .sample import A_B, peak, study, tuning_data, write


def trial(number: int, state: str, value: float | None, **more: object) -> dict[str, object]:
    values = [value] if state == "complete" else None
    steps = [[50, value]] if state == "pruned" else []
    about = {
        "params": {"law.a": number / 10},
        "seconds": 1.0,
        "fingerprint": "0",
        "first": False,
        "why": None,
    }
    return {"number": number, "state": state, "values": values, "steps": steps, **about, **more}


def result_of(tmp_path: Path, *trials: dict[str, object], **objective: object) -> TuningResult:
    data = tuning_data(study("SimANS", A_B, lambda s: [peak(s)], trials=1))
    data["studies"][0]["trials"] = list(trials)
    data["objectives"][0] |= objective
    return read_result(write(tmp_path, data) / "trials.json")


@pytest.mark.parametrize("values", [[3.0, 1.0, 2.0, 2.0, -1.0], [0.5], [1.0, 1.0, 1.0]])
def test_it_is_the_mean_over_all_subsets(values: list[float]) -> None:
    brute = [np.mean([max(chosen) for chosen in combinations(values, n)]) for n in range(1, len(values) + 1)]
    assert expected_best(values) == pytest.approx(brute)


def test_it_begins_at_the_mean_ends_at_the_best_and_never_falls() -> None:
    values = np.random.default_rng(1).normal(size=300)  # binomials far beyond what a float holds
    curve = expected_best(values)
    assert curve[0] == pytest.approx(values.mean()) and curve[-1] == values.max()
    assert (np.diff(curve) >= 0).all()


def test_the_band_is_of_other_trials_and_lies_around_what_they_would_give() -> None:
    rng, level = np.random.default_rng(2), 0.9
    truth = np.mean([rng.uniform(size=5).max() for _ in range(4000)])
    inside = 0
    for _ in range(40):
        low, high = expected_band(rng.uniform(size=40), level)
        inside += low[4] <= truth <= high[4]
    assert 30 <= inside <= 40


def test_pruned_trials_count_with_their_last_value_and_cannot_win(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        trial(0, "complete", 0.4),
        trial(1, "pruned", 0.1),
        trial(2, "pruned", 0.9),
    )
    assert sorted(counted_values(result, result.studies[0])) == [0.1, 0.4, 0.4]


def test_a_failed_trial_is_the_worst_unless_it_was_tried_again(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        trial(0, "complete", 0.4),
        trial(1, "failed", None, params={"law.a": 0.7}),
        trial(2, "failed", None, params={"law.a": 1.9}),
        trial(3, "complete", 0.3, params={"law.a": 0.7}),
    )
    assert sorted(counted_values(result, result.studies[0])) == [0.3, 0.3, 0.4]


def test_the_papers_setting_was_not_drawn(tmp_path: Path) -> None:
    result = result_of(tmp_path, trial(0, "complete", 0.9, first=True), trial(1, "complete", 0.2))
    assert list(counted_values(result, result.studies[0])) == [0.2]


def test_where_less_is_better_the_best_is_the_least(tmp_path: Path) -> None:
    trials = trial(0, "complete", 3.0), trial(1, "complete", 1.0), trial(2, "pruned", 0.5)
    result = result_of(tmp_path, *trials, direction="minimize")
    assert sorted(counted_values(result, result.studies[0])) == [-3.0, -1.0, -1.0]
    best = result.best(result.studies[0])
    assert best is not None and best.number == 1
