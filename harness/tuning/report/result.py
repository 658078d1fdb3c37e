"""The results of a tuning as trials.json stores them; reports are rendered from these alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.errors import UserError
from harness.specs.samplers import Parameter
from harness.storage.files import read_json

TRIALS = "trials.json"

Setting = Mapping[str, Parameter]
"""Key of the space -> value."""

Mode = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True)
class TuningObjective:
    """An objective.

    Attributes:
        name: label in tables and figures.
        measured: whether it is a measure of held-out queries, a fraction, or else a cost in seconds.
        sign: 1 if more is better, else -1.
        queries: number of held-out queries; none for a cost.
    """

    name: str
    measured: bool
    sign: int
    queries: int | None


@dataclass(frozen=True)
class TrialResult:
    """A trial: a setting and its result.

    Attributes:
        number: from 0, in the order in which the trials began.
        state: complete, pruned or failed.
        setting: key -> value, without keys whose condition does not hold.
        values: value of each objective; none unless complete.
        watched: last value of the first objective during training.
        seconds: training time.
        first: whether it is a paper's setting, with which the tuning began.
        why: why it was pruned or failed.
    """

    number: int
    state: Mode
    setting: Setting
    values: tuple[float, ...] | None
    watched: float | None
    seconds: float | None
    first: bool
    why: str | None


@dataclass(frozen=True)
class StudyResult:
    """The trials of one row.

    Attributes:
        row: name of the row in the target.
        sampler: preset of the row's negative sampler.
        space: key -> type, bounds or choices, condition.
        papers: the papers' settings, the first one for tables.
        trials: all trials, by number.
    """

    row: str
    sampler: str | None
    space: Mapping[str, Mapping[str, Any]]
    papers: Sequence[Setting]
    trials: Sequence[TrialResult]

    def of(self, state: Mode) -> list[TrialResult]:
        """Return the trials that ended in a state."""
        return [trial for trial in self.trials if trial.state == state]

    @property
    def complete(self) -> list[tuple[TrialResult, tuple[float, ...]]]:
        """The finished trials with their values."""
        return [(trial, trial.values) for trial in self.trials if trial.values is not None]

    def tried_again(self, trial: TrialResult) -> bool:
        """Whether a trial failed and was tried again."""
        return trial.state == "failed" and any(
            other.number > trial.number and other.setting == trial.setting for other in self.trials
        )

    def paper(self) -> TrialResult | None:
        """Return the finished trial of the first of the papers' settings."""
        stated = dict(self.papers[0]) if self.papers else None
        return next((trial for trial, _ in self.complete if trial.first and trial.setting == stated), None)


@dataclass(frozen=True)
class TuningResult:
    """A tuning.

    Attributes:
        data: content of trials.json.
        objectives: one objective, or two.
        studies: one study for each tuned row.
    """

    data: Mapping[str, Any]
    objectives: Sequence[TuningObjective]
    studies: Sequence[StudyResult]

    @property
    def name(self) -> str:
        """Name of the tuning."""
        return str(self.data["tuning"])

    @property
    def scale(self) -> str:
        """Scale of its runs."""
        return str(self.data["scale"])

    @property
    def call(self) -> str:
        """What a command names it by, with its scale, and with what it was made on in their place."""
        return f"{self.name} --scale {self.scale}{self.options}"

    @property
    def options(self) -> str:
        """Options of its command that name collection and encoder, each with a blank before it."""
        return str(self.data.get("options", ""))

    @property
    def measured(self) -> str:
        """Split that its target is measured on at this scale."""
        return str(self.data.get("measured", "test"))

    @property
    def budget(self) -> int:
        """Trials of each study."""
        return int(self.data["trials_a_study"])

    @property
    def sampler(self) -> str:
        """Optuna's sampler."""
        return str(self.data["optuna"]["sampler"])

    def gain(self, value: float, place: int = 0) -> float:
        """Return an objective's value, signed so that more is better."""
        return self.objectives[place].sign * value

    def best(self, study: StudyResult) -> TrialResult | None:
        """Return the finished trial with the best value of the first objective; of equals the earliest."""
        ordered = sorted(study.complete, key=lambda pair: -self.gain(pair[1][0]))
        return ordered[0][0] if ordered else None


def read_result(path: Path) -> TuningResult:
    """Read a trials.json.

    Raises:
        UserError: it is missing, corrupt, or of another state of the harness.
    """
    data = read_json(path)
    try:
        objectives = [_objective(one) for one in data["objectives"]]
        studies = [_study(one) for one in data["studies"]]
        return TuningResult(data, objectives, studies)
    except (KeyError, TypeError, IndexError) as error:
        what = f"trials of another version of the harness ({type(error).__name__}: {error})"
        raise UserError(what, where=str(path), fix="tune again, or delete the folder") from error


def _objective(data: Mapping[str, Any]) -> TuningObjective:
    sign = 1 if data["direction"] == "maximize" else -1
    return TuningObjective(data["name"], "measure" in data, sign, data.get("queries"))


def _study(data: Mapping[str, Any]) -> StudyResult:
    trials = [_trial(trial) for trial in sorted(data["trials"], key=lambda trial: int(trial["number"]))]
    return StudyResult(data["row"], data["sampler"], data["space"], data["first"], trials)


def _trial(data: Mapping[str, Any]) -> TrialResult:
    complete = data["state"] == "complete"
    return TrialResult(
        number=data["number"],
        state=data["state"],
        setting=data["params"],
        values=tuple(map(float, data["values"])) if complete else None,
        watched=float(data["steps"][-1][1]) if data["steps"] else None,
        seconds=data["seconds"],
        first=data["first"],
        why=data["why"],
    )
