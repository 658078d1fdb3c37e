"""Workers: processes that run trials from one storage until none is left, and replace dead ones."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import optuna
import torch

from harness.errors import HarnessError, RunError
from harness.progress import Progress
from harness.runs.device import use_gpu
from harness.runs.stages import Stages
from harness.specs.instead import Instead
from harness.specs.library import Library
from harness.specs.tuning_library import ResolvedTuning, resolve_tuning
from harness.storage.leases import lease
from harness.storage.stopping import INTERRUPTED, on_signals
from harness.storage.store import Store
from harness.tuning.mlflow_trials import mirrored_stages
from harness.tuning.recovery import recover
from harness.tuning.space import suggest
from harness.tuning.storages import open_storage
from harness.tuning.study import (
    FIRST,
    WAITING,
    WORKER,
    OpenStudy,
    counted_trials,
    finished,
    open_studies,
)
from harness.tuning.trial import TrialRun

POLL_S = 1.0


@dataclass(frozen=True)
class WorkerCall:
    """Arguments of a worker process.

    Attributes:
        specs: folder of the specs.
        tuning: name of the tuning.
        scale: name of the scale.
        storage: URL or path of the storage; none for the store's own.
        trials: budget of each study.
        store: root of the store.
        instead: what stands in the place of collection and encoder.
    """

    specs: Path
    tuning: str
    scale: str
    storage: str | None
    trials: int
    store: Path
    instead: Instead


def run_worker(tuning: ResolvedTuning, studies: Sequence[OpenStudy], stages: Stages, trials: int) -> None:
    """Run trials until each study has its budget and none is running.

    Studies are completed in order. An idle worker waits for those that train, since one of them may die.

    Args:
        tuning: the tuning at a scale.
        studies: its open studies.
        stages: trains runs.
        trials: budget of each study.
    """
    torch.set_num_threads(tuning.resolved.scale.spec.threads)
    worker = f"tuning-worker-{uuid.uuid4().hex}"
    with lease(stages.store.lease(worker), "a worker", _quiet), mirrored_stages(stages, studies) as mirroring:
        while not _orphaned():
            if any(_run_trial(study, mirroring, worker, trials) for study in studies):
                continue
            if all(finished(study.trials()) for study in studies):
                return
            time.sleep(POLL_S)


def run_workers(call: WorkerCall, workers: int) -> None:
    """Run several worker processes.

    Raises:
        HarnessError: a worker failed.
        KeyboardInterrupt: the command was interrupted.
    """
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_run_process, args=(call, number)) for number in range(workers)]
    for process in processes:
        process.start()
    try:
        for process in processes:
            process.join()
    except KeyboardInterrupt:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process.pid or 0, signal.SIGINT)
        for process in processes:
            process.join()
        raise
    codes = [process.exitcode or 0 for process in processes]
    if INTERRUPTED in codes:
        raise KeyboardInterrupt
    if any(code > 0 for code in codes) or all(codes):
        bad = sum(code != 0 for code in codes)
        raise HarnessError(f"{bad} of {workers} workers failed; run it again to resume")


def _run_trial(of: OpenStudy, stages: Stages, worker: str, trials: int) -> bool:
    """Run one trial of a study; return whether there was one left."""
    store = stages.store
    with ExitStack() as exclusive:
        exclusive.enter_context(lease(store.lease(f"tuning-{of.identity}"), "a study", _quiet))
        recover(of, store)
        known = of.trials()
        waiting = next((trial for trial in known if trial.state == WAITING), None)
        place = sum(waiting is None or trial.number < waiting.number for trial in counted_trials(known))
        if waiting is None:
            if place >= trials:
                return False
            if place < len(of.first):
                of.study.enqueue_trial(of.first[place], user_attrs={FIRST: True})
        of.sampler.place = place

        def make(trial: optuna.Trial) -> list[float]:
            trial.set_user_attr(WORKER, worker)
            values = suggest(trial, of.space)
            run = TrialRun.of(of, trial, values, stages)
            exclusive.close()  # other workers may ask now, and see this trial's parameters
            return run.values()

        of.study.optimize(make, n_trials=1, catch=RunError)
    return True


def _run_process(call: WorkerCall, number: int) -> None:
    """Run a worker in its own process group, on its own GPU where there are several."""
    on_signals()
    os.setpgrp()  # so that only the command forwards an interrupt, once
    use_gpu(number)
    try:
        stages = Stages(Store(call.store), Progress(quiet=True))
        tuning = resolve_tuning(Library(call.specs, call.instead), call.tuning, call.scale)
        studies = open_studies(tuning, stages, open_storage(call.storage, stages.store))
        run_worker(tuning, studies, stages, call.trials)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except HarnessError as error:
        stages.progress.say(f"error: worker {number + 1}: {error}")
        sys.exit(1)


def _orphaned() -> bool:
    """Whether the command that started this worker is gone."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def _quiet(text: str) -> None:
    """Do not report the wait: it lasts milliseconds."""
