"""A tuning keeps the papers' setting unless another is better by more than chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.tuning.report.chance import gain_of, keeps
from harness.tuning.report.render import render
from harness.tuning.report.result import StudyResult, TrialResult, TuningResult, read_result

from .sample import RATE, number, study, tuning_data, write

pytestmark = pytest.mark.usefixtures("undrawn")

RESULTS = Path(__file__).parents[2] / "results"
SPACE = {**RATE, "temperature": number(0.25, 4.0, log=True)}
PAPERS = {"learning_rate": 1e-4, "temperature": 1.0}
NOISE = 0.007


def searched(
    tmp_path: Path, objective: Callable[[dict[str, Any]], float], times: int
) -> tuple[TuningResult, list[StudyResult]]:
    """Random searches whose values have the noise of a trial."""
    rng = np.random.default_rng(0)
    known = write(tmp_path, tuning_data(study("A", RATE, lambda _: [0.3], PAPERS, trials=6)))

    def trial(place: int) -> TrialResult:
        drawn = {
            key: math.exp(rng.uniform(*map(math.log, (of["low"], of["high"])))) for key, of in SPACE.items()
        }
        setting = drawn if place else PAPERS
        value = objective(setting) + rng.normal(0, NOISE)
        return TrialResult(place, "complete", setting, (value,), None, None, place == 0, None)

    studies = [StudyResult("A", None, SPACE, [PAPERS], [trial(at) for at in range(21)]) for _ in range(times)]
    return read_result(known / "trials.json"), studies


@pytest.mark.slow
def test_where_no_setting_differs_the_papers_setting_is_kept(tmp_path: Path) -> None:
    result, studies = searched(tmp_path, lambda _: 0.25, 200)
    assert sum(keeps(result, of) for of in studies) >= 0.95 * 200
    gains = [gain for of in studies if (gain := gain_of(result, of))]
    assert np.mean([gain.value for gain in gains]) == pytest.approx(1.87 * NOISE, rel=0.1)
    assert np.mean([gain.expected for gain in gains]) == pytest.approx(1.87 * NOISE, rel=0.1)


def test_where_all_others_are_worse_the_papers_setting_is_kept(tmp_path: Path) -> None:
    result, studies = searched(
        tmp_path, lambda of: 0.25 - 0.05 * (math.log10(of["learning_rate"]) + 4) ** 2, 50
    )
    assert sum(keeps(result, of) for of in studies) >= 0.95 * 50


def test_a_real_gain_is_found(tmp_path: Path) -> None:
    result, studies = searched(tmp_path, lambda of: 0.25 + 0.04 * (math.log10(of["learning_rate"]) + 4), 50)
    assert sum(keeps(result, of) for of in studies) <= 0.1 * 50


@pytest.mark.parametrize(
    ("slope", "value", "p", "word"),
    [
        (0.0, 0.02, 0.002, "best, by the confirmation"),
        (0.0, 0.02, 0.2, "keep the papers' setting"),
        (0.0, -0.02, 0.002, "keep the papers' setting"),
        (0.0, 0.02, None, "keep the papers' setting"),
        (0.2, 0.02, 0.002, "best"),
        (0.2, 0.02, 0.2, "best, not confirmed"),
        (0.2, -0.02, 0.002, "best, not confirmed"),
    ],
)
def test_held_out_queries_propose_and_a_confirmation_decides(
    tmp_path: Path, slope: float, value: float, p: float | None, word: str
) -> None:
    objective = lambda of: [0.3 + slope * (math.log10(of["learning_rate"]) + 4)]  # noqa: E731
    data = tuning_data(study("A", RATE, objective, {"learning_rate": 1e-4}))
    interval = {"level": 0.95, "low": value - 0.01, "high": value + 0.01, "df": 99.0}
    difference = {"value": value, "checkpoints": interval, "method": interval, "holm_p": p}
    mean = {"mean": 0.3, "sd": 0.001}
    of = {"row": "A", "given": True, "same": False, "setting": {}, "papers": mean, "best": mean}
    quoted = {"primary": "MRR@10", "level": 0.95, "split": "test", "collection": "pydocs", "seeds": [700]}
    quoted |= {"studies": [of | {"difference": difference}], "to_baseline": [], "failed": {}, "baseline": "A"}
    render(write(tmp_path, data | {"confirmation": quoted}))
    text = (tmp_path / "table.md").read_text()
    line = next(of for of in text.split("## What to take")[1].splitlines() if of.startswith("| A"))
    assert line.split("|")[-2].strip() == word
    assert ("was within what chance reaches: take it" in text) == (word == "best, by the confirmation")
    assert ("theirs is kept" in text) == (word == "keep the papers' setting")


def test_with_few_finished_trials_chance_is_not_known_and_the_papers_setting_is_kept(tmp_path: Path) -> None:
    data = tuning_data(study("A", RATE, lambda of: [of["learning_rate"]], PAPERS | {}, trials=3))
    result = read_result(write(tmp_path, data) / "trials.json")
    [of] = result.studies
    gain = gain_of(result, of)
    assert gain is None or gain.limit is None
    assert not (gain and gain.beyond_chance)


@pytest.mark.parametrize(("slope", "word"), [(0.0, "keep the papers' setting"), (0.2, "best")])
def test_the_report_says_what_to_take(tmp_path: Path, slope: float, word: str) -> None:
    first = {"learning_rate": 1e-4}
    found = study("A", RATE, lambda of: [0.3 + slope * (math.log10(of["learning_rate"]) + 4)], first)
    render(write(tmp_path, tuning_data(found)))
    text = (tmp_path / "table.md").read_text()
    line = next(of for of in text.split("## What to take")[1].splitlines() if of.startswith("| A"))
    assert line.split("|")[-2].strip() == word
    assert ("There is nothing to confirm of A" in text) == (slope == 0.0)
