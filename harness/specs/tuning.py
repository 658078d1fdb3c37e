"""Hyperparameter tuning, as pydantic models; `tuning_checks.py` says what is wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt

from harness.specs.base import Spec
from harness.specs.samplers import Parameter

HELD_OUT = "held-out"
"""What tuning may look at: training queries that its trials are not trained on."""

WhenValue = Parameter | list[Parameter]
Values = dict[str, Parameter]
"""A setting: key -> value."""
ROUNDING = 1e-6
"""Of a step, by which a value may miss it."""


class Dimension(Spec):
    """A parameter of a space: a range (`low`, `high`, with `step`, `log` or `int`), or `choices`.

    `when` names parameters written above and the value, or the values, at which this one applies.
    """

    low: float | None = None
    high: float | None = None
    step: float | None = Field(default=None, gt=0)
    log: bool = False
    int_: bool = Field(default=False, alias="int")
    choices: list[Parameter] | None = None
    when: dict[str, WhenValue] | None = None

    def applies(self, values: Values) -> bool:
        """Whether it is part of a setting, as far as that is chosen."""
        return all(key in values and values[key] in accepted for key, accepted in self.conditions.items())

    @property
    def conditions(self) -> dict[str, list[Parameter]]:
        """Parameters above and the values at which this one applies."""
        return {
            key: accepted if isinstance(accepted, list) else [accepted]
            for key, accepted in (self.when or {}).items()
        }

    @property
    def values(self) -> list[Parameter] | None:
        """All values that it may have; none where they have no end."""
        if self.choices is not None:
            return self.choices
        if self.low is None or self.high is None or (self.step is None and not self.int_):
            return None
        step = self.step or 1
        numbers = [self.low + step * place for place in range(round((self.high - self.low) / step) + 1)]
        return [round(value) for value in numbers] if self.int_ else list(numbers)

    def holds(self, value: object) -> bool:
        """Whether it may have a value."""
        if self.choices is not None:
            return any(value == choice and type(value) is type(choice) for choice in self.choices)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        low, high = self.low or 0.0, self.high or 0.0
        steps = (value - low) / (self.step or 1)
        stepped = self.step is not None or self.int_
        return low <= value <= high and (not stepped or abs(steps - round(steps)) < ROUNDING)


class ObjectiveSpec(Spec):
    """What is optimised: a measure, to be high, or a cost, to be low."""

    measure: str | None = None
    cost: Literal["seconds"] | None = None
    split: str = HELD_OUT


class OptunaChoice(Spec):
    """How settings are proposed, and which trials are stopped early."""

    sampler: Literal["tpe", "random", "grid", "cma-es", "nsga-ii"]
    pruner: Literal["median", "hyperband", "successive-halving", "none"] = "none"
    seed: int = Field(default=0, ge=0)


class StudySpec(Spec):
    """The tuning of one row; `first` are the papers' settings, by default the row's own.

    What a first setting leaves out has the row's own value.
    """

    row: str
    space: dict[str, Dimension] = Field(default={})
    first: list[Values] = Field(default=[{}], min_length=1)


class TuningSpec(Spec):
    """experiments/tuning/<name>.yaml; the same number of trials for each of its studies."""

    title: str
    source: str
    target: str
    objectives: Annotated[list[ObjectiveSpec], Field(min_length=1, max_length=2)]
    held_out: float = Field(gt=0, lt=1)
    trials: PositiveInt
    optuna: OptunaChoice
    shared: dict[str, Dimension] = Field(default={})
    studies: list[StudySpec] = Field(min_length=1)

    def space(self, study: StudySpec) -> dict[str, Dimension]:
        """Return all parameters of a study, those that all studies share first."""
        return {**self.shared, **study.space}


def completed(
    space: Mapping[str, Dimension], first: Mapping[str, Parameter], own: Callable[[str], Any]
) -> Values:
    """Return a first setting with what it leaves out; parameters that do not apply are in none.

    Args:
        space: of the study, conditions above what they are of.
        first: as the file has it.
        own: key -> the row's own value.
    """
    values: Values = {}
    for key, dimension in space.items():
        if dimension.applies(values):
            values[key] = first[key] if key in first else own(key)
    return values
