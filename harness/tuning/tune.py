"""The story of a tuning: open its studies, run trials until each has its budget, write the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.reports.rendering import render_site
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.tuning_library import resolve_tuning
from harness.tuning.report.render import render
from harness.tuning.storages import open_storage
from harness.tuning.study import OpenStudy, finished, open_studies
from harness.tuning.trials_file import results_of, write_trials
from harness.tuning.workers import WorkerCall, run_worker, run_workers


@dataclass(frozen=True)
class FinishedTuning:
    """A finished tuning: its studies, and the folder of its results."""

    studies: Sequence[OpenStudy]
    folder: Path


def run_tuning(
    library: Library,
    name: str,
    scale: str,
    stages: Stages,
    results: Path,
    *,
    trials: int | None = None,
    workers: int = 1,
    storage: str | None = None,
) -> FinishedTuning:
    """Run a tuning, or resume it.

    Args:
        library: the specs.
        name: name of the tuning, for example ``simans-a-b``.
        scale: name of the scale.
        stages: trains runs.
        results: root of the results.
        trials: budget of each study; by default that of the spec.
        workers: number of processes.
        storage: URL or path of the studies' storage; see `harness.tuning.study.open_storage`.

    Raises:
        HarnessError: workers failed, or died.
    """
    tuning = resolve_tuning(library, name, scale)
    budget = trials or tuning.spec.trials
    studies = open_studies(tuning, stages, open_storage(storage, stages.store))
    if workers == 1:
        run_worker(tuning, studies, stages, budget)
    else:
        root = library.root.resolve()
        store = stages.store.root.resolve()
        run_workers(WorkerCall(root, name, scale, storage, budget, store, library.instead), workers)
    if not all(finished(study.trials()) for study in studies):
        raise HarnessError("workers died before all trials were finished; run it again to resume")
    folder = results_of(results, tuning)
    write_trials(tuning, studies, stages, budget, folder)
    render(folder)
    render_site(results)
    return FinishedTuning(studies, folder)
