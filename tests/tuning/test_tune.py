"""Tuning with trials that are trained: what they leave, what they find again, what kills do to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import NAME, TuningPlace, counted, settings

pytestmark = pytest.mark.usefixtures("undrawn")

PATIENCE_S = 120


def test_a_tuning_leaves_its_trials(tuned: TuningPlace) -> None:
    data, trials = tuned.results_of(NAME), tuned.trials()
    assert data["objectives"][0]["name"] == "MRR@10"
    assert data["objectives"][0]["queries"] == len(held_out(tuned)) > 20
    assert [trial["state"] in {"complete", "pruned"} for trial in trials] == [True] * 4
    printed = {"law.a": 0.25, "law.angle": "off"}
    assert data["studies"][0]["first"] == [printed, {"law.a": 0.25, "law.angle": "eq4", "law.degrees": 60.0}]
    assert [trial["params"] for trial in trials[:2]] == data["studies"][0]["first"]
    assert [trial["first"] for trial in trials] == [True, True, False, False]
    assert all(("law.degrees" in one["params"]) == (one["params"]["law.angle"] == "eq4") for one in trials)
    assert [step for step, _ in trials[0]["steps"]] == [10, 20, 30]
    assert trials[0]["steps"][-1][1] == trials[0]["values"][0]


def held_out(place: TuningPlace) -> list[str]:
    """Queries that the tuning looked at, from the rankings of a trial."""
    run = place.root / "store/runs" / place.trials()[0]["fingerprint"]
    assert sorted(path.name for path in (run / "rankings").glob("*.qrels")) == ["dev.qrels"]
    queries = [line.split()[0] for line in (run / "rankings/dev.qrels").read_text().splitlines()]
    assert all(query.startswith("train-") for query in queries)
    return queries


def test_trials_share_their_base_and_are_training_runs(tuned: TuningPlace) -> None:
    assert len(tuned.runs("base")) == 1
    assert {run.name for run in tuned.runs("continued")} == {one["fingerprint"] for one in tuned.trials()}


def test_the_same_command_trains_nothing_more(tuned: TuningPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tuned.results_of(NAME)
    monkeypatch.setattr("harness.runs.stages.train", pytest.fail)
    assert tuned.tune(monkeypatch, NAME) == 0
    assert tuned.results_of(NAME) == before


@pytest.mark.slow
def test_another_storage_proposes_the_same_and_finds_all_trained(
    tuned: TuningPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, journal = tuned.results_of(NAME), tmp_path / "journal.log"
    monkeypatch.setattr("harness.runs.stages.train", pytest.fail)
    assert tuned.tune(monkeypatch, NAME, "--storage", str(journal)) == 0
    after = tuned.results_of(NAME)
    assert journal.exists()
    assert [one["params"] for one in after["studies"][0]["trials"]] == settings(tuned.trials())
    assert after == before


@pytest.mark.slow
def test_two_objectives_and_a_grid(tuned: TuningPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"row": "TriSampler", "space": {"law.a": {"choices": [0.25, 0.5]}}}
    measures = [{"measure": "RR(rel=2)@10"}, {"cost": "seconds"}]
    tuned.write("two", studies=[row], trials=2, objectives=measures, optuna={"sampler": "grid"})
    assert tuned.tune(monkeypatch, "two") == 0
    trials = tuned.trials("two")
    assert [one["params"] for one in trials] == [{"law.a": 0.25}, {"law.a": 0.5}]
    assert all(0 < one["values"][1] == one["seconds"] < PATIENCE_S for one in trials)
    assert trials[0]["fingerprint"] == tuned.trials()[0]["fingerprint"]  # found, not trained again


def test_a_trial_that_diverges_fails_and_the_tuning_goes_on(
    tuned: TuningPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"row": "Uniform Sampling", "space": {"learning_rate": {"low": 1e-4, "high": 1e9, "log": True}}}
    first = [{"learning_rate": 1e9}, {}]
    tuned.write("wild", studies=[{**row, "first": first}], trials=2)
    assert tuned.tune(monkeypatch, "wild") == 0
    bad, good = tuned.trials("wild")
    assert (bad["state"], bad["values"], good["state"]) == ("failed", None, "complete")
    assert "lower the learning rate" in bad["why"]


@pytest.mark.slow
def test_an_interrupted_trial_is_tried_again_and_continues(
    place: TuningPlace, tuned: TuningPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop = {"at": 25}
        patch.setattr("harness.training.learner.linear_schedule", interrupting(stop))
        assert place.tune(patch, NAME) == 130
    assert place.tune(monkeypatch, NAME) == 0
    first, again = place.trials()[:2]
    assert (first["state"], first["why"]) == (
        "failed",
        "its process ended before it; tried again as trial 1",
    )
    assert (again["params"], again["first"]) == (first["params"], True)
    same_as(place, tuned)


def interrupting(stop: dict[str, int]) -> Callable[..., float]:
    from harness.training.schedule import linear_schedule

    def schedule(step: int, steps: int, share: float) -> float:
        if steps == 30 and step == stop["at"]:
            raise KeyboardInterrupt
        return linear_schedule(step, steps, share)

    return schedule


def same_as(place: TuningPlace, tuned: TuningPlace) -> None:
    """Check that trials that count are those of a tuning that nothing interrupted."""
    of, undisturbed = counted(place.trials()), tuned.trials()
    for key in ("params", "state", "values", "fingerprint", "steps"):
        assert [one[key] for one in of] == [one[key] for one in undisturbed], key


@pytest.mark.slow
def test_a_tuning_killed_in_a_trial_goes_on_with_the_same_settings(
    place: TuningPlace, tuned: TuningPlace
) -> None:
    command = place.command("tune", NAME, "--scale", "simulation")
    process = start(place, command)
    fingerprints = [trial["fingerprint"] for trial in tuned.trials()]
    until(lambda: lines(place, fingerprints[2]) >= 5)
    process.kill()
    process.wait()
    assert start(place, command).wait(PATIENCE_S) == 0
    assert len(place.trials()) == 5
    same_as(place, tuned)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_what_a_killed_worker_left_is_tried_again_by_the_others(
    place: TuningPlace, tuned: TuningPlace, workers: int
) -> None:
    trials = 2 * workers
    command = ["tune", NAME, "--scale", "simulation", "--workers", str(workers), "--trials", str(trials)]
    process = start(place, place.command(*command))
    until(lambda: len(place.runs("continued")) >= workers)
    leases = place.root / "store/leases"
    processes = [json.loads(path.read_text())["pid"] for path in leases.glob("tuning-worker-*.json")]
    assert len(processes) == workers
    os.kill(processes[0], signal.SIGKILL)
    process.wait(PATIENCE_S)
    assert process.returncode == 0
    ended = place.trials()
    assert len(counted(ended)) == trials
    assert {trial["state"] for trial in counted(ended)} <= {"complete", "pruned"}
    (dead,) = [trial for trial in ended if trial not in counted(ended)]
    again = ended[int(dead["why"].rpartition(" ")[2])]
    assert again["params"].items() >= dead["params"].items()
    assert len(place.runs("base")) == 1


def start(place: TuningPlace, command: list[str]) -> subprocess.Popen[bytes]:
    nowhere = {"MLFLOW_TRACKING_URI": "nowhere://"}
    return subprocess.Popen(
        command, cwd=place.root, env=place.environment() | nowhere, stderr=subprocess.DEVNULL
    )


def lines(place: TuningPlace, fingerprint: str) -> int:
    path = place.root / f"store/runs/{fingerprint}/metrics.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def until(so: Callable[[], bool]) -> None:
    begin = time.monotonic()
    while not so():
        assert time.monotonic() - begin < PATIENCE_S
        time.sleep(0.02)


@pytest.mark.slow
def test_a_trial_on_two_processes_is_that_of_one_and_continues_where_they_are_killed(
    place: TuningPlace, tuned: TuningPlace
) -> None:
    command = place.command("tune", NAME, "--scale", "simulation", "--ranks", "2")
    process = start(place, command)
    until(lambda: any(lines(place, trial["fingerprint"]) >= 5 for trial in tuned.trials()[1:]))
    process.kill()
    process.wait()
    assert start(place, command).wait(PATIENCE_S) == 0
    assert settings(place.trials()) == settings(tuned.trials())
    for of, alone in zip(counted(place.trials()), tuned.trials(), strict=True):
        assert of["state"] == alone["state"]
        assert of["values"] == pytest.approx(alone["values"])


def test_workers_take_a_trial_each(place: TuningPlace) -> None:
    for means in (["--ranks", "2"], ["--recompute"], ["--ranks", "1"]):
        said = place.say("tune", NAME, "--scale", "simulation", "--workers", "2", *means)
        said.check()
        assert said.code == 2
        assert "leave --workers out" in said.err
