"""The runs of a target that are missing, made by several workers at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.runs.spread import Done, Spread, Task, WorkerCall, tasks_of
from harness.runs.stages import Stages
from harness.specs.resolve import Resolved

if TYPE_CHECKING:
    from harness.targets.reproduce import PlannedRun


def make_on_workers(resolved: Resolved, planned: Sequence[PlannedRun], stages: Stages) -> dict[str, str]:
    """Make the runs that are missing on several workers, and tell each in a line; where one is meant, none.

    A target that prints seconds is left to one process: runs that are made at once slow each other.

    Args:
        resolved: the target at a scale.
        planned: its runs, in turn.
        stages: of this command; what is made is noted there, and mirrored by them.

    Returns:
        Fingerprint -> why the run could not be made.

    Raises:
        HarnessError: all workers are lost.
    """
    if stages.means.workers == 1 or resolved.target.is_timed:
        return {}
    titled = [(run.settings, f"{run.row}, {resolved.seed_text(run.dataset, run.seed)}") for run in planned]
    tasks = tasks_of(stages, titled)
    ended = 0

    def heard(task: Task, done: Done) -> None:
        nonlocal ended
        ended += 1
        what = f"failed ({done.why})" if done.why else f"{done.seconds:.0f} s"
        stages.progress.say(f"{ended} of {len(tasks)} runs: {task.title}: {what}")
        if done.made:
            stages.made.add(task.fingerprint)
            stages.mirror(stages.store.run(task.fingerprint))

    means = replace(stages.means, workers=1)
    call = WorkerCall(stages.store.root.resolve(), means, resolved.scale.spec.threads)
    spread = Spread(tasks, call, stages.progress.say, heard)
    spread.run(stages.means.workers)
    return spread.failed
