"""A trial: a training run through the ordinary stages, whose folder holds its values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna

from harness.errors import RunError, StoppedError
from harness.evaluation.curves import work_seconds
from harness.evaluation.measures import DEV_MEASURE
from harness.records.run_folder import RunFolder
from harness.runs.stages import Stages
from harness.specs.run_settings import TrainedRun
from harness.specs.tuning import Values
from harness.specs.varied import varied
from harness.tuning.study import FINGERPRINT, FIRST, SECONDS, WHY, OpenStudy

PHASE = "continued"


@dataclass(frozen=True)
class TrialRun:
    """The training run of a trial.

    Attributes:
        study: the open study.
        trial: the Optuna trial.
        settings: settings of the run.
        fingerprint: names the run's folder.
        stages: trains the run.
    """

    study: OpenStudy
    trial: optuna.Trial
    settings: TrainedRun
    fingerprint: str
    stages: Stages

    @staticmethod
    def of(study: OpenStudy, trial: optuna.Trial, values: Values, stages: Stages) -> TrialRun:
        """Return the run of a trial with a setting."""
        settings = varied(study.base, values)
        fingerprint = stages.collections.chain(settings).last
        trial.set_user_attr(FINGERPRINT, fingerprint)
        return TrialRun(study, trial, settings, fingerprint, stages)

    def values(self) -> list[float]:
        """Train or reuse the run, and return its objectives.

        A curve that was begun in an earlier process is reported first. The papers' settings are never
        stopped: others are compared with them.

        Raises:
            optuna.TrialPruned: it was stopped at a refresh; its folder is as after an interrupt.
            RunError: it diverged, or does not fit into memory.
        """
        self._report_curve()
        watching = replace(self.stages, watched=self._watched)
        try:
            folder = watching.run(self.settings, f"{self.study.title}, trial {self.trial.number}").folder
        except StoppedError as stopped:
            self._note_seconds()
            raise optuna.TrialPruned(str(stopped)) from stopped
        except RunError as error:
            self.trial.set_user_attr(WHY, " ".join(str(error).split()))
            raise
        self._report_curve()
        seconds = self._note_seconds()
        per_query = folder.per_query()
        held_out = per_query[per_query["split"] == "dev"]
        objectives = self.study.tuning.spec.objectives
        reached = [
            seconds
            if one.measure is None
            else float(held_out[held_out["measure"] == one.measure]["value"].mean())
            for one in objectives
        ]
        if [one.measure for one in objectives] == [DEV_MEASURE]:
            self._report(self.settings.phase.steps, reached[0])
        return reached

    def _watched(self, folder: Path, step: int, metrics: dict[str, float]) -> None:
        if folder.name != self.fingerprint or len(self.study.study.directions) > 1:
            return
        self._report(step, metrics[DEV_MEASURE])
        if not self.trial.user_attrs.get(FIRST) and self.trial.should_prune():
            raise StoppedError(f"stopped at step {step}")

    def _report_curve(self) -> None:
        """Report the curve in the run's folder; Optuna has no curves for two objectives."""
        if len(self.study.study.directions) == 1:
            for line in self._lines():
                if line["phase"] == f"{PHASE} dev":
                    self._report(int(line["step"]), float(line[DEV_MEASURE]))

    def _report(self, step: int, value: float) -> None:
        known = self.study.study.get_trials(deepcopy=False)[self.trial.number].intermediate_values
        if step not in known:
            self.trial.report(value, step)

    def _note_seconds(self) -> float:
        seconds = sum(work_seconds(line, PHASE) or 0.0 for line in self._lines())
        self.trial.set_user_attr(SECONDS, seconds)
        return seconds

    def _lines(self) -> list[dict[str, Any]]:
        folder = self.stages.store.run(self.fingerprint)
        return list(RunFolder(folder).metrics()) if folder.exists() else []
