"""The space of a study in Optuna's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from optuna import Trial

from harness.specs.samplers import Parameter
from harness.specs.tuning import Dimension, Values


def suggest(trial: Trial, space: Mapping[str, Dimension]) -> Values:
    """Return the setting of a trial, without parameters whose conditions do not hold."""
    values: Values = {}
    for key, dimension in space.items():
        if dimension.applies(values):
            values[key] = _suggest(trial, key, dimension)
    return values


def space_as_json(space: Mapping[str, Dimension]) -> dict[str, dict[str, Any]]:
    """Return a space as trials.json stores it."""
    return {key: {**_as_json(dimension), "when": dimension.when} for key, dimension in space.items()}


def _suggest(trial: Trial, key: str, of: Dimension) -> Parameter:
    if of.choices is not None:
        return cast("Parameter", trial.suggest_categorical(key, of.choices))
    low, high = of.low or 0.0, of.high or 0.0
    if of.int_:
        return trial.suggest_int(key, round(low), round(high), step=round(of.step or 1), log=of.log)
    return trial.suggest_float(key, low, high, step=of.step, log=of.log)


def _as_json(of: Dimension) -> dict[str, Any]:
    if of.choices is not None:
        return {"type": "categorical", "choices": of.choices}
    ends = {"low": of.low, "high": of.high, "log": of.log, "step": of.step}
    if of.int_:
        whole = {key: round(end) for key, end in ends.items() if key != "log" and end is not None}
        return {"type": "int", **ends, **whole}
    return {"type": "float", **ends}
