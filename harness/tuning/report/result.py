"""What a search found, as its trials.json holds it; reports are made from this alone."""

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
"""Key of a search space -> value."""

Mode = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True)
class Objective:
    """What is made better.

    Attributes:
        name: as read.
        measured: a measure of held-out queries, a fraction; else a cost, in seconds.
        sign: 1 where more is better, else -1.
        queries: held-out queries that it is measured on; none of a cost.
    """

    name: str
    measured: bool
    sign: int
    queries: int | None


@dataclass(frozen=True)
class Trial:
    """A setting that was tried.

    Attributes:
        number: from 0, in the order in which the trials began.
        state: complete, pruned or failed.
        setting: key -> value; a key whose condition does not hold is left out.
        values: one an objective; none unless complete.
        watched: last value of the first objective that was watched while it trained.
        seconds: that it took.
        first: it is a paper's setting, which the search began with.
        why: it was pruned, or failed.
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
class Study:
    """The trials of one row.

    Attributes:
        row: of the target.
        sampler: its sampler.
        space: key -> type, bounds or choices, condition.
        papers: the papers' settings.
        trials: in their order.
    """

    row: str
    sampler: str | None
    space: Mapping[str, Mapping[str, Any]]
    papers: Sequence[Setting]
    trials: Sequence[Trial]

    def of(self, state: Mode) -> list[Trial]:
        """Return the trials that ended so."""
        return [trial for trial in self.trials if trial.state == state]

    @property
    def complete(self) -> list[tuple[Trial, tuple[float, ...]]]:
        """The finished trials with their values."""
        return [(trial, trial.values) for trial in self.trials if trial.values is not None]

    def tried_again(self, trial: Trial) -> bool:
        """Whether a trial failed and another one took its place."""
        return trial.state == "failed" and any(
            other.number > trial.number and other.setting == trial.setting for other in self.trials
        )

    def paper(self) -> Trial | None:
        """Return the finished trial of the papers' setting, the first where there are several."""
        stated = dict(self.papers[0]) if self.papers else None
        return next((trial for trial, _ in self.complete if trial.first and trial.setting == stated), None)


@dataclass(frozen=True)
class Found:
    """A search.

    Attributes:
        data: content of trials.json.
        objectives: one, or two.
        studies: one a row.
    """

    data: Mapping[str, Any]
    objectives: Sequence[Objective]
    studies: Sequence[Study]

    @property
    def name(self) -> str:
        """Name of the search."""
        return str(self.data["search"])

    @property
    def scale(self) -> str:
        """Scale that it was made at."""
        return str(self.data["scale"])

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
        """Return an objective's value so that more is better."""
        return self.objectives[place].sign * value

    def best(self, study: Study) -> Trial | None:
        """Return the finished trial that is best on the first objective, the earliest of equals."""
        ordered = sorted(study.complete, key=lambda pair: -self.gain(pair[1][0]))
        return ordered[0][0] if ordered else None


def read_found(path: Path) -> Found:
    """Read a trials.json.

    Raises:
        UserError: it is missing, corrupt, or of another state of the harness.
    """
    data = read_json(path)
    try:
        objectives = [_objective(one) for one in data["objectives"]]
        studies = [_study(one) for one in data["studies"]]
        return Found(data, objectives, studies)
    except (KeyError, TypeError, IndexError) as error:
        what = f"trials of another state of the harness ({type(error).__name__}: {error})"
        raise UserError(what, where=str(path), fix="search again, or delete the folder") from error


def _objective(data: Mapping[str, Any]) -> Objective:
    sign = 1 if data["direction"] == "maximize" else -1
    return Objective(data["name"], "measure" in data, sign, data.get("queries"))


def _study(data: Mapping[str, Any]) -> Study:
    trials = [_trial(trial) for trial in sorted(data["trials"], key=lambda trial: int(trial["number"]))]
    return Study(data["row"], data["sampler"], data["space"], data["first"], trials)


def _trial(data: Mapping[str, Any]) -> Trial:
    complete = data["state"] == "complete"
    return Trial(
        number=data["number"],
        state=data["state"],
        setting=data["params"],
        values=tuple(map(float, data["values"])) if complete else None,
        watched=float(data["steps"][-1][1]) if data["steps"] else None,
        seconds=data["seconds"],
        first=data["first"],
        why=data["why"],
    )
