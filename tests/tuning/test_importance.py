"""Importances find what matters, say how sure they are, and say in words where there are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.tuning.report.importance import importance
from harness.tuning.report.result import StudyResult, read_result

from .sample import A_B, RATE, names, number, peak, study, tuning_data, write


def study_result(tmp_path: Path, data: dict[str, Any]) -> StudyResult:
    return read_result(write(tmp_path, tuning_data(data)) / "trials.json").studies[0]


@pytest.mark.slow
def test_the_parameter_that_matters_comes_first(tmp_path: Path) -> None:
    data = study("SimANS", A_B, lambda s: [peak(s)], trials=40)
    for trial in data["trials"]:  # as if nothing had been pruned, so that all are finished
        trial |= {"state": "complete", "values": [peak(trial["params"])]}
    importances = importance(study_result(tmp_path, data))
    first, second = importances.shares
    assert (first.key, second.key) == ("law.a", "law.b")
    assert first.low > second.high and first.low <= first.share <= first.high
    assert 0 < first.forests < 0.2 and importances.trials == 40 and importances.why_not is None


@pytest.fixture
def few_forests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forests enough for a mean; how sure it is, is not asked."""
    monkeypatch.setattr("harness.tuning.report.importance.FOREST_SEEDS", 4)
    monkeypatch.setattr("harness.tuning.report.importance.RESAMPLES", 4)


@pytest.mark.usefixtures("few_forests")
def test_a_logarithmic_parameter_matters_over_its_range(tmp_path: Path) -> None:
    """All of it lies in one of three decades: by the value itself that would be a ninth of a hundredth."""
    data = study("SimANS", RATE | {"law.a": A_B["law.a"]}, lambda s: [peak(s)], trials=40, seed=3)
    for trial in data["trials"]:
        rate = trial["params"]["learning_rate"]
        trial |= {"state": "complete", "values": [float(rate > 1e-4) + 0.01 * trial["params"]["law.a"]]}
    shares = importance(study_result(tmp_path, data)).shares
    assert shares[0].key == "learning_rate" and shares[0].share > 0.8


@pytest.mark.usefixtures("few_forests")
def test_what_only_some_trials_have_is_left_out_and_named(tmp_path: Path) -> None:
    space = {
        **A_B,
        "draw": names("best", "without-replacement"),
        "source.count": number(5, 50, kind="int", when={"draw": "best"}),
    }
    data = study("TriSampler", space, lambda s: [peak(s)], trials=40, sampler="tpe")
    importances = importance(study_result(tmp_path, data))
    assert importances.left_out == ["source.count"]
    assert {share.key for share in importances.shares} == {"law.a", "law.b", "draw"}


def test_too_few_trials_are_said_in_words(tmp_path: Path) -> None:
    few = importance(study_result(tmp_path, study("SimANS", A_B, lambda s: [peak(s)], trials=4)))
    assert not few.shares and few.why_not == "too few trials: 4 finished, 2 parameters need 10"
    same = importance(study_result(tmp_path, study("SimANS", A_B, lambda s: [0.3], trials=15)))
    assert same.why_not == "all finished trials have the same value"
    alone = importance(study_result(tmp_path, study("Uniform", RATE, lambda s: [peak(s)], trials=15)))
    assert alone.why_not == "a single parameter explains all variance"
