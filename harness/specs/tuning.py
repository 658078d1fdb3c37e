"""Tuning specs as pydantic models; `tuning_checks.py` and `space_checks.py` check them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt

from harness.specs.base import Name, Spec
from harness.specs.samplers import Parameter

HELD_OUT = "held-out"
"""The split that tuning may use: training queries that its trials are not trained on."""

WhenValue = Parameter | list[Parameter]
Values = dict[str, Parameter]
"""A setting: key -> value."""
ROUNDING = 1e-6
"""Tolerance of a value on a grid, as a share of the step."""


class Dimension(Spec):
    """A parameter of a space: a range (`low`, `high`, with `step`, `log` or `int`), or `choices`.

    `when` names parameters written above and the value, or the values, at which this one applies.
    """

    low: float | None = Field(default=None, ge=-1e15, le=1e15)
    high: float | None = Field(default=None, ge=-1e15, le=1e15)
    step: float | None = Field(default=None, ge=1e-12, le=1e15)
    log: bool = False
    int_: bool = Field(default=False, alias="int")
    choices: list[Parameter] | None = None
    when: dict[str, WhenValue] | None = None

    def applies(self, values: Values) -> bool:
        """Whether the parameter belongs to a setting, of which those above it are chosen."""
        return all(key in values and values[key] in accepted for key, accepted in self.conditions.items())

    @property
    def conditions(self) -> dict[str, list[Parameter]]:
        """Parameters above -> values at which this one applies."""
        return {
            key: accepted if isinstance(accepted, list) else [accepted]
            for key, accepted in (self.when or {}).items()
        }

    @property
    def size(self) -> int | None:
        """Number of the parameter's values; none if they are continuous."""
        if self.choices is not None:
            return len(self.choices)
        if self.low is None or self.high is None or (self.step is None and not self.int_):
            return None
        return round((self.high - self.low) / (self.step or 1)) + 1

    @property
    def values(self) -> list[Parameter] | None:
        """All values of the parameter; none if they are continuous."""
        if self.choices is not None or self.size is None or self.low is None:
            return self.choices
        numbers = [self.low + (self.step or 1) * place for place in range(self.size)]
        return [round(value) for value in numbers] if self.int_ else list(numbers)

    def holds(self, value: object) -> bool:
        """Whether a value is within the range or among the choices."""
        if self.choices is not None:
            return any(value == choice and type(value) is type(choice) for choice in self.choices)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        low, high = self.low or 0.0, self.high or 0.0
        steps = (value - low) / (self.step or 1)
        stepped = self.step is not None or self.int_
        return low <= value <= high and (not stepped or abs(steps - round(steps)) < ROUNDING)


class ObjectiveSpec(Spec):
    """An objective: a measure to maximise, or a cost to minimise."""

    measure: str | None = None
    cost: Literal["seconds"] | None = None
    split: str = HELD_OUT


class OptunaChoice(Spec):
    """How settings are proposed, and which trials are pruned."""

    sampler: Literal["tpe", "random", "grid", "cma-es", "nsga-ii"]
    pruner: Literal["median", "hyperband", "successive-halving", "none"] = "none"
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the sampler; numpy takes 32 bits")


class StudySpec(Spec):
    """The tuning of one row; `first` has the papers' settings, by default the row's own.

    Keys that a first setting leaves out have the row's own values.
    """

    row: str
    space: dict[str, Dimension] = Field(default={})
    first: list[Values] = Field(default=[{}], min_length=1)


class TuningSpec(Spec):
    """experiments/tuning/<name>.yaml; all studies have the same number of trials."""

    title: Name
    citation: Name
    target: str
    objectives: Annotated[list[ObjectiveSpec], Field(min_length=1, max_length=2)]
    held_out: float = Field(gt=0, lt=1)
    trials: Annotated[PositiveInt, Field(le=10_000)]
    optuna: OptunaChoice
    shared: dict[str, Dimension] = Field(default={})
    studies: list[StudySpec] = Field(min_length=1)

    def space(self, study: StudySpec) -> dict[str, Dimension]:
        """Return all parameters of a study, shared ones first."""
        return {**self.shared, **study.space}


def completed(
    space: Mapping[str, Dimension], first: Mapping[str, Parameter], own: Callable[[str], Any]
) -> Values:
    """Return a first setting completed by the row's own values, without parameters that do not apply.

    Args:
        space: the study's space; a parameter stands below those in its condition.
        first: the setting as the file has it.
        own: key -> the row's own value.
    """
    values: Values = {}
    for key, dimension in space.items():
        if dimension.applies(values):
            values[key] = first[key] if key in first else own(key)
    return values
