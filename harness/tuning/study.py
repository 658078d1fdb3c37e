"""Studies: opened or created by name, in a storage that many workers may share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from harness.collections.collection import Collection
from harness.errors import UserError
from harness.evaluation.measures import reads_answers
from harness.runs.stages import Stages
from harness.specs.measure_checks import NO_ANSWERS
from harness.specs.run_settings import TrainedRun
from harness.specs.tuning import Dimension, StudySpec, TuningSpec, Values
from harness.specs.tuning_library import ResolvedTuning
from harness.storage.files import content_hash
from harness.tuning.samplers import GENERATIONS, RepeatableSampler, make_pruner, make_sampler

RUNNING, WAITING, FAILED = TrialState.RUNNING, TrialState.WAITING, TrialState.FAIL
RETRY_OF, WORKER, FINGERPRINT, WHY, FIRST, SECONDS = (
    "retry_of",
    "worker",
    "fingerprint",
    "why",
    "first",
    "seconds",
)
"""Names of the user attributes of a trial."""


@dataclass(frozen=True)
class OpenStudy:
    """A study of a tuning, opened.

    Attributes:
        tuning: the tuning that it belongs to, at a scale.
        spec: its row and space, as the spec has them.
        base: settings of the row, on the carved collection.
        identity: hash of everything that its trials have in common.
        study: the Optuna study.
        sampler: proposes its settings.
    """

    tuning: ResolvedTuning
    spec: StudySpec
    base: TrainedRun
    identity: str
    study: Study
    sampler: RepeatableSampler

    @cached_property
    def space(self) -> dict[str, Dimension]:
        """All its parameters."""
        return self.tuning.spec.space(self.spec)

    @cached_property
    def first(self) -> list[Values]:
        """The papers' settings, completed by the row's own values."""
        return self.tuning.first(self.spec)

    @property
    def title(self) -> str:
        """Its name in progress bars and MLflow."""
        return f"{self.tuning.name}, {self.spec.row}"

    def trials(self) -> list[FrozenTrial]:
        """Return its trials, in the order of their numbers."""
        return self.study.get_trials(deepcopy=False)


def open_studies(tuning: ResolvedTuning, stages: Stages, storage: BaseStorage) -> list[OpenStudy]:
    """Open or create the studies of a tuning.

    A study is identified by the tuning's name, its scale and row, and a hash of everything that decides its
    trials. A changed tuning begins new studies, which reuse the runs of trials that agree.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return [_open(tuning, spec, stages, storage) for spec in tuning.spec.studies]


def retried(trials: Sequence[FrozenTrial]) -> set[int]:
    """Return the numbers of the trials that were tried again because their process died."""
    return {int(trial.user_attrs[RETRY_OF]) for trial in trials if RETRY_OF in trial.user_attrs}


def counted_trials(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials that count against the budget: all except those that were tried again."""
    gone = retried(trials)
    return [trial for trial in trials if trial.number not in gone]


def finished(trials: Sequence[FrozenTrial]) -> bool:
    """Whether no trial is running or waiting."""
    return all(trial.state.is_finished() for trial in trials)


def _open(tuning: ResolvedTuning, spec: StudySpec, stages: Stages, storage: BaseStorage) -> OpenStudy:
    base = tuning.base(spec)
    phase = base.phase
    tuning_spec = tuning.spec
    _refuse_unanswered(tuning, stages.collections.get(base.collection))
    identity = content_hash(
        _content(tuning_spec, spec), tuning.first(spec), stages.collections.chain(base).last
    )
    sampler = make_sampler(tuning_spec.optuna.sampler, tuning_spec.optuna.seed, tuning_spec.trials)
    study = optuna.create_study(
        storage=storage,
        sampler=sampler,
        pruner=make_pruner(tuning_spec.optuna.pruner, phase.refresh, phase.steps),
        study_name=f"{tuning.name}/{tuning.scale}/{spec.row}/{identity}",
        directions=["maximize" if objective.measure else "minimize" for objective in tuning_spec.objectives],
        load_if_exists=True,
    )
    return OpenStudy(tuning, spec, base, identity, study, sampler)


def _refuse_unanswered(tuning: ResolvedTuning, collection: Collection) -> None:
    """Refuse an objective that reads answers where no held-out query has any: all trials would reach 0."""
    for place, objective in enumerate(tuning.spec.objectives):
        if objective.measure and reads_answers(objective.measure) and not collection.queries["dev"].answers:
            what = f"'{objective.measure}' reads answers, and no query of {collection.name} has any"
            where = f"tuning {tuning.name}, objectives[{place}].measure"
            raise UserError(what, where=where, fix=NO_ANSWERS)


def _content(tuning: TuningSpec, spec: StudySpec) -> dict[str, Any]:
    """Return everything that decides the trials and their values."""
    population = tuning.trials // GENERATIONS if tuning.optuna.sampler == "nsga-ii" else None
    return {
        "space": [[key, of.model_dump()] for key, of in tuning.space(spec).items()],
        "objectives": [objective.model_dump() for objective in tuning.objectives],
        "optuna": tuning.optuna.model_dump(),
        "population": population,
    }
