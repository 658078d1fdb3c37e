"""Spaces: what applies when, how many settings there are, and how a setting changes a run."""

from __future__ import annotations

import optuna
import pytest

from harness.pieces import PieceError
from harness.specs.space_checks import grid_size
from harness.specs.tuning import Dimension, completed
from harness.specs.varied import own_value, varied
from harness.tuning.space import space_as_json, suggest
from tests.stores import settings_of

ANGLE = Dimension(choices=["off", "eq4", "apex"])
DEGREES = Dimension(low=30.0, high=90.0, step=30.0, when={"angle": ["eq4", "apex"]})
SPACE = {"angle": ANGLE, "degrees": DEGREES}
WHOLE = Dimension.model_validate({"low": 1, "high": 31, "int": True})


def test_a_parameter_is_suggested_where_its_condition_holds() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    settings = [suggest(study.ask(), SPACE) for _ in range(40)]
    assert {one["angle"] for one in settings} == {"off", "eq4", "apex"}
    assert all(("degrees" in one) == (one["angle"] != "off") for one in settings)
    assert {one["degrees"] for one in settings if "degrees" in one} == {30.0, 60.0, 90.0}


def test_settings_of_a_grid_are_counted_with_their_conditions() -> None:
    assert grid_size(SPACE) == 1 + 2 * 3
    assert grid_size({"n": WHOLE}) == 31
    assert grid_size({**SPACE, "a": Dimension(low=0.0, high=1.0)}) is None


@pytest.mark.parametrize(
    ("of", "inside", "outside"),
    [
        (WHOLE, [1, 31, 5], [0, 32, 1.5, "5", True]),
        (DEGREES, [30.0, 60], [45.0, 120.0]),
        (Dimension(low=0.0, high=1.0), [0, 0.3, 1.0], [-0.1, 1.1, False]),
        (Dimension(choices=[1, "a"]), [1, "a"], [2, True, "b"]),
    ],
)
def test_what_a_parameter_holds(of: Dimension, inside: list, outside: list) -> None:
    assert [of.holds(value) for value in inside] == [True] * len(inside)
    assert [of.holds(value) for value in outside] == [False] * len(outside)


def test_a_first_setting_is_completed_by_the_row_and_leaves_out_what_does_not_apply() -> None:
    own = {"angle": "off", "degrees": 60.0}.get
    assert completed(SPACE, {}, own) == {"angle": "off"}
    assert completed(SPACE, {"angle": "eq4"}, own) == {"angle": "eq4", "degrees": 60.0}


def test_a_space_is_written_as_the_report_reads_it() -> None:
    assert space_as_json({"n": WHOLE, "angle": ANGLE})["n"] == {
        "type": "int", "low": 1, "high": 31, "log": False, "step": None, "when": None,
    }  # fmt: skip
    assert space_as_json(SPACE)["degrees"]["when"] == {"angle": ["eq4", "apex"]}


def test_a_setting_changes_a_run_where_it_says_and_nowhere_else() -> None:
    base = settings_of("TriSampler")
    values = {
        "law.a": 1,
        "candidates": 70,
        "negatives": 3,
        "learning_rate": 2e-3,
        "steps": 40,
        "temperature": 2,
    }
    settings = varied(base, values)
    assert {key: own_value(settings, key) for key in values} == values
    assert settings.sampler.law.transitional == base.sampler.law.transitional
    assert (settings.start, settings.seed, settings.phase.refresh) == (
        base.start,
        base.seed,
        base.phase.refresh,
    )
    assert varied(base, {key: own_value(base, key) for key in values}) == base


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"law.b": 1.0}, "has no parameter 'b'"),
        ({"law.a": -1.0}, "greater than or equal to 0"),
        ({"negatives": 0}, "greater than 0"),
        ({"learning_rate": 0.0}, "greater than or equal to 0.0"),
        ({"hidden": 64}, "no tuning can vary it"),
    ],
)
def test_a_setting_that_a_run_cannot_have_is_refused_with_its_key(values: dict, what: str) -> None:
    with pytest.raises(PieceError, match=what) as caught:
        varied(settings_of("TriSampler"), values)
    assert caught.value.place == tuple(values)
