"""The target that confirms a tuning: sound, and different from the tuned rows in what was tuned alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import UserError
from harness.specs.kinds.confirmation import Confirmation
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import RunSettings
from harness.specs.target import Row
from harness.tuning.report.result import TuningResult, read_result
from harness.tuning.target import SEED_SHIFT, target_text

from .sample import A_B, RATE, names, number, peak, study, tuning_data, write

SHIPPED = Library(Path(__file__).resolve().parents[2] / "experiments")
TABLE = "trisampler/table-5"
SPACE = {
    **RATE,
    "temperature": number(0.1, 2.0),
    "negatives": number(1, 15, kind="int"),
    "draw.name": names("best", "without-replacement"),
    "source.count": names("kept", "retrieved", when={"draw.name": "best"}),
    **A_B,
}
PAPER = {
    "learning_rate": 1e-3,
    "temperature": 1.0,
    "negatives": 15,
    "draw.name": "without-replacement",
    "law.a": 0.5,
    "law.b": 0.0,
}
BEST = {
    "learning_rate": 3e-4,
    "temperature": 0.5,
    "negatives": 7,
    "draw.name": "best",
    "source.count": "retrieved",
    "law.a": 1.2,
    "law.b": -0.5,
}


def trial(number: int, setting: dict[str, Any], value: float, *, first: bool = False) -> dict[str, Any]:
    about = {"state": "complete", "steps": [], "seconds": 1.0, "fingerprint": "0", "why": None}
    return {"number": number, "params": setting, "values": [value], "first": first, **about}


def of_row(row: str, *trials: dict[str, Any]) -> dict[str, Any]:
    papers = [trial["params"] for trial in trials if trial["first"]]
    return {"row": row, "sampler": "simans", "space": SPACE, "first": papers, "trials": list(trials)}


def result_in(folder: Path, *studies: dict[str, Any], **more: Any) -> TuningResult:
    return read_result(write(folder, tuning_data(*studies, **more)) / "trials.json")


def resolved_in(folder: Path, *studies: dict[str, Any]) -> Resolved:
    path = folder / "target.yaml"
    path.write_text(target_text(result_in(folder, *studies), SHIPPED, "harness reproduce target.yaml"))
    return resolve(SHIPPED, str(path), "simulation")


def run_of(resolved: Resolved, name: str, seed: int = 0) -> RunSettings:
    row = resolved.loaded.row(name)
    assert isinstance(row, Row)
    return resolved.run(row, seed)


def differences(one: Any, other: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """Return where two settings differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        parts = (differences(one.get(key), other.get(key), f"{path}.{key}".strip(".")) for key in keys)
        return {key: value for part in parts for key, value in part.items()}
    return {} if one == other else {path: (one, other)}


def test_a_rows_run_differs_from_that_of_a_trial_in_seeds_and_in_what_was_tuned(tmp_path: Path) -> None:
    confirmation = resolved_in(
        tmp_path, of_row("SimANS", trial(0, PAPER, 0.3, first=True), trial(1, BEST, 0.4))
    )
    base = run_of(resolve(SHIPPED, TABLE, "simulation"), "SimANS").model_dump()
    seeds = {"seed": (200, 200 + SEED_SHIFT), "start.seed": (100, 100 + SEED_SHIFT)}
    paper = run_of(confirmation, "SimANS: papers' setting").model_dump()
    assert differences(base, paper) == seeds
    best = run_of(confirmation, "SimANS: best of 2").model_dump()
    assert differences(base, best) == seeds | {
        "phase.learning_rate": (1e-3, 3e-4),
        "phase.loss.temperature": (1.0, 0.5),
        "sampler.negatives": (15, 7),
        "sampler.draw.name": ("without-replacement", "best"),
        "sampler.source.count": ("kept", "retrieved"),
        "sampler.law.a": (0.5, 1.2),
        "sampler.law.b": (0.0, -0.5),
    }


def test_columns_and_scale_are_those_of_the_target_and_the_baseline_is_its_own(tmp_path: Path) -> None:
    confirmation = resolved_in(
        tmp_path, of_row("SimANS", trial(0, PAPER, 0.3, first=True), trial(1, BEST, 0.4))
    )
    table = resolve(SHIPPED, TABLE, "simulation")
    assert confirmation.target.compared_with == "Uniform Sampling" and confirmation.seeds == 3
    assert [(c.label, c.measure, c.split) for c in confirmation.columns] == [
        (c.label, c.measure, c.split) for c in table.columns
    ]
    assert not any(figure for row in confirmation.target.rows for figure in confirmation.published(row))
    uniform, own = run_of(table, "Uniform Sampling"), run_of(confirmation, "Uniform Sampling")
    assert set(differences(uniform.model_dump(), own.model_dump())) == {"seed", "start.seed"}
    assert (confirmation.name, confirmation.paper) == ("tuning/simans-a-b/confirmation", "tuning")


def test_a_tuned_baseline_is_the_baseline(tmp_path: Path) -> None:
    best = {"learning_rate": 2e-3}
    uniform = of_row(
        "Uniform Sampling", trial(0, {"learning_rate": 1e-3}, 0.3, first=True), trial(1, best, 0.4)
    )
    confirmation = resolved_in(tmp_path, uniform, of_row("SimANS", trial(0, BEST, 0.4), trial(1, PAPER, 0.1)))
    assert confirmation.target.compared_with == "Uniform Sampling: best of 2"
    assert [row.name for row in confirmation.target.rows] == [
        "Uniform Sampling: papers' setting", "Uniform Sampling: best of 2", "SimANS: best of 2",
    ]  # fmt: skip
    tuned = run_of(confirmation, "Uniform Sampling: best of 2")
    assert tuned.phase is not None and tuned.phase.learning_rate == 2e-3


def compared_in(folder: Path, *studies: dict[str, Any]) -> dict[str, str]:
    """Return row -> the row that it is compared with."""
    target = resolved_in(folder, *studies).target
    assert isinstance(target, Confirmation)
    return target.minus


def test_rows_are_compared_with_the_same_kind_of_settings_alone(tmp_path: Path) -> None:
    rates = trial(0, {"learning_rate": 1e-3}, 0.3, first=True), trial(1, {"learning_rate": 2e-3}, 0.4)
    uniform = of_row("Uniform Sampling", *rates)
    simans = of_row("SimANS", trial(0, PAPER, 0.3, first=True), trial(1, BEST, 0.4))
    assert compared_in(tmp_path, uniform, simans) == {
        "SimANS: papers' setting": "Uniform Sampling: papers' setting",
        "SimANS: best of 2": "Uniform Sampling: best of 2",
    }


def test_a_baseline_that_was_not_tuned_is_that_of_the_papers_settings(tmp_path: Path) -> None:
    simans = of_row("SimANS", trial(0, PAPER, 0.3, first=True), trial(1, BEST, 0.4))
    assert compared_in(tmp_path, simans) == {"SimANS: papers' setting": "Uniform Sampling"}


def test_tuned_rows_have_a_baseline_whose_papers_setting_was_the_best(tmp_path: Path) -> None:
    rates = trial(0, {"learning_rate": 1e-3}, 0.5, first=True), trial(1, {"learning_rate": 2e-3}, 0.4)
    simans = of_row("SimANS", trial(0, PAPER, 0.3, first=True), trial(1, BEST, 0.4))
    assert set(compared_in(tmp_path, of_row("Uniform Sampling", *rates), simans).values()) == {
        "Uniform Sampling: papers' setting"
    }


def test_a_papers_setting_that_is_the_best_stands_once(tmp_path: Path) -> None:
    confirmation = resolved_in(
        tmp_path, of_row("SimANS", trial(0, PAPER, 0.5, first=True), trial(1, BEST, 0.4))
    )
    assert [row.name for row in confirmation.target.rows] == ["Uniform Sampling", "SimANS: papers' setting"]


def test_no_seed_is_one_of_a_trial_or_of_a_table(tmp_path: Path) -> None:
    confirmation = resolved_in(tmp_path, of_row("SimANS", trial(0, BEST, 0.4)))
    table, pairs = (resolve(SHIPPED, name, "simulation") for name in (TABLE, "calibration/a-a"))
    fresh, used = (
        {
            seed
            for resolved in several
            for row in resolved.target.rows
            if isinstance(row, Row) and row.sampler
            for number in range(resolved.seeds)
            for run in (resolved.run(row, number),)
            for seed in (run.seed, run.start.seed if run.start else None)
        }
        for several in ((confirmation,), (table, pairs))
    )
    assert len(fresh) == 6 and not fresh & used


def test_the_same_trials_give_the_same_text(tmp_path: Path) -> None:
    one, other = (
        target_text(result_in(tmp_path / name, of_row("SimANS", trial(0, BEST, 0.4))), SHIPPED, "x")
        for name in "ab"
    )
    assert one == other and yaml.safe_load(one)["rows"][1]["overrides"]["learning_rate"] == 3e-4


def test_a_tuning_is_confirmed_at_its_end(tmp_path: Path) -> None:
    one = result_in(tmp_path, of_row("SimANS", trial(0, BEST, 0.4)), trials_a_study=20)
    with pytest.raises(UserError, match=r"'SimANS' has 1 of 20 trials, 1 finished.*resume it by"):
        target_text(one, SHIPPED, "x")
    pruned = trial(0, BEST, 0.4) | {"state": "pruned", "values": None}
    with pytest.raises(UserError, match="1 of 1 trials, 0 finished"):
        target_text(result_in(tmp_path, of_row("SimANS", pruned)), SHIPPED, "x")


def test_a_trial_that_was_tried_again_is_none_of_the_budget(tmp_path: Path) -> None:
    retried = trial(0, PAPER, 0.4, first=True) | {"state": "failed", "values": None}
    again = of_row("SimANS", retried, trial(1, PAPER, 0.3, first=True))
    target_text(result_in(tmp_path, again, trials_a_study=1), SHIPPED, "x")
    with pytest.raises(UserError, match="has 1 of 2 trials"):
        target_text(result_in(tmp_path, again, trials_a_study=2), SHIPPED, "x")


def test_the_scale_caps_nothing_that_was_tuned(tmp_path: Path) -> None:
    confirmation = resolved_in(tmp_path, of_row("SimANS", trial(0, {"candidates": 300}, 0.4)))
    assert confirmation.scale.spec.candidates_cap == 50
    tuned = run_of(confirmation, "SimANS: best of 1").sampler
    assert tuned is not None and tuned.candidates == 300


def test_trials_are_left_as_they_are(tmp_path: Path) -> None:
    result = result_in(tmp_path, study("SimANS", A_B, lambda s: [peak(s)], {"law.a": 0.5, "law.b": 0.0}))
    before = json.dumps(result.data)
    target_text(result, SHIPPED, "x")
    assert json.dumps(result.data) == before


def test_what_stands_at_the_scale_of_papers_is_left_out(tmp_path: Path) -> None:
    study = of_row("SimANS", trial(0, PAPER, 0.5, first=True), trial(1, BEST, 0.6))
    text = target_text(result_in(tmp_path, study), SHIPPED, "harness reproduce target.yaml")
    assert SHIPPED.target(TABLE).trained.shared.published_recipe == "continue-ar2"
    assert "published_" not in text and "recipe: continue-contrastive" in text
