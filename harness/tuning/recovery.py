"""Recovery of trials whose process died: they fail, and are tried again with the same parameters."""

from __future__ import annotations

import time
import warnings
from contextlib import suppress

import optuna
from optuna.trial import FrozenTrial

from harness.storage.leases import STALE_S, BusyError, lease
from harness.storage.store import Store
from harness.tuning.study import FAILED, FIRST, RETRY_OF, RUNNING, WAITING, WHY, WORKER, OpenStudy, retried

RUNG = "completed_rung_"
"""Prefix of the system attributes that Optuna's pruners set."""


def recover(of: OpenStudy, store: Store) -> None:
    """Fail the trials of dead processes, and enqueue them again.

    However often: only what a trial itself reports fails it for good, so that kills change no proposal.

    A worker on this store holds a lease that the kernel releases when the worker dies, so its death is
    noticed at once. A worker on another store is alive as long as Optuna's heartbeats arrive, where the
    storage has them. Call this under the study's lease.
    """
    for trial in of.trials():
        if trial.state == RUNNING:
            _fail_if_dead(of, trial, store)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(of.study)
    trials = of.trials()
    gone = retried(trials)
    for trial in trials:
        if abandoned(trial) and trial.number not in gone:
            _try_again(of, trial)


def abandoned(trial: FrozenTrial) -> bool:
    """Whether a trial failed because its process died or was interrupted."""
    return trial.state == FAILED and WHY not in trial.user_attrs


def _fail_if_dead(of: OpenStudy, trial: FrozenTrial, store: Store) -> None:
    worker = trial.user_attrs.get(WORKER)
    if worker is None:  # the process has asked for the trial and not set its worker yet
        if trial.datetime_start is None or time.time() - trial.datetime_start.timestamp() > STALE_S:
            of.study.tell(trial.number, state=FAILED, skip_if_finished=True)
        return
    path = store.lease(str(worker))
    if not path.with_name(f"{path.name}.json").exists():
        return  # a worker on another store
    with suppress(BusyError), lease(path, "a worker", lambda text: None, wait=False):
        of.study.tell(trial.number, state=FAILED, skip_if_finished=True)


def _try_again(of: OpenStudy, trial: FrozenTrial) -> None:
    """Enqueue a trial again, with its parameters and the sampler's attributes, such as its generation.

    The pruner's attributes are left out: the curve is reported and judged again.
    """
    noted = {RETRY_OF: trial.number}
    if trial.user_attrs.get(FIRST):
        noted[FIRST] = True
    of_sampler = {key: value for key, value in trial.system_attrs.items() if not key.startswith(RUNG)}
    of.study.add_trial(
        optuna.trial.create_trial(
            state=WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs=noted,
            system_attrs=of_sampler,
        )
    )
