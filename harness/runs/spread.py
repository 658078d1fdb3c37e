"""Runs spread over worker processes, each with a GPU of its own where there are several.

The command deals them out, those first from which others go on, and hears what became of each. It alone
writes tables and MLflow. A worker that is lost leaves its run to another.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import cast

import torch

from harness.errors import HarnessError, RunError, first_line
from harness.progress import Progress
from harness.runs.device import use_gpu
from harness.runs.run import Means
from harness.runs.stages import Stages
from harness.runs.state import complete
from harness.specs.run_settings import RunSettings
from harness.storage.stopping import INTERRUPTED, end_with_parent, on_signals
from harness.storage.store import Store

DEALT = 2
"""How often a run is dealt: one that takes two workers with it is left to the command."""


@dataclass(frozen=True)
class Task:
    """A run that a worker makes.

    Attributes:
        fingerprint: of the run.
        settings: resolved.
        title: what lines of progress call it.
        needs: fingerprints of the runs that it goes on from.
    """

    fingerprint: str
    settings: RunSettings
    title: str
    needs: frozenset[str]


@dataclass(frozen=True)
class Done:
    """What became of a task.

    Attributes:
        made: whether it was made there, and not by another command.
        seconds: that it took.
        why: it could not be made; none where it was.
        lost: the worker ends with it, by what is no fault of the run.
    """

    made: bool
    seconds: float
    why: str | None = None
    lost: bool = False


@dataclass(frozen=True)
class WorkerCall:
    """Arguments of a worker.

    Attributes:
        store: root of the store.
        means: by what each computes its runs, on one process.
        threads: of each worker.
    """

    store: Path
    means: Means
    threads: int


def tasks_of(stages: Stages, runs: Iterable[tuple[RunSettings, str]]) -> list[Task]:
    """Return the tasks of runs and of what they go on from, those first that others need.

    What the store holds is no task.

    Args:
        stages: over the store.
        runs: settings and title of each, in turn.
    """
    asked, tasks = list(runs), dict[str, Task]()

    def add(settings: RunSettings, title: str) -> str:
        run = stages.place(settings)
        if run.chain.last not in tasks and not complete(run):
            below = settings.below.values()
            tasks[run.chain.last] = Task(run.chain.last, settings, title, frozenset(map(_name, below)))
        return run.chain.last

    def add_below(settings: RunSettings) -> None:
        for below in settings.below.values():
            if add(below, f"{below.kind}, seed {below.seed}") in tasks:
                add_below(below)

    def _name(settings: RunSettings) -> str:
        return stages.collections.chain(settings).last

    for settings, title in asked:  # before those below, which may be measured by less
        add(settings, title)
    for task in list(tasks.values()):
        add_below(task.settings)
    needed = {name for task in tasks.values() for name in task.needs}
    return sorted(tasks.values(), key=lambda task: task.fingerprint not in needed)


@dataclass
class Spread:
    """Deals tasks out to workers.

    Attributes:
        tasks: in turn.
        call: of the workers.
        say: prints a line.
        heard: called with a task that is done, and what became of it.
        failed: fingerprint -> why the run could not be made.
    """

    tasks: Sequence[Task]
    call: WorkerCall
    say: Callable[[str], None]
    heard: Callable[[Task, Done], None]
    failed: dict[str, str] = field(default_factory=dict)
    _dealt: dict[str, int] = field(default_factory=dict)

    def run(self, workers: int) -> None:
        """Make the tasks on so many workers.

        Raises:
            HarnessError: all workers are lost.
            KeyboardInterrupt: the command was interrupted; each worker has written its checkpoint.
        """
        team = [_start(self.call, number) for number in range(min(workers, len(self.tasks)))]
        try:
            self._deal({connection: number for number, (_, connection) in enumerate(team, start=1)})
        except KeyboardInterrupt:
            for process, _ in team:
                with suppress(ProcessLookupError):
                    os.kill(process.pid or 0, signal.SIGINT)
            raise
        finally:
            for process, connection in team:
                connection.close()
                process.join()

    def _deal(self, idle: dict[Connection, int]) -> None:
        left, busy, number_of = list(self.tasks), dict[Connection, Task](), dict(idle)
        while True:
            while idle and (task := self._next(left, busy.values())):
                left.remove(task)
                self._dealt[task.fingerprint] = self._dealt.get(task.fingerprint, 0) + 1
                connection = min(idle, key=idle.__getitem__)
                del idle[connection]
                busy[connection] = task
                with suppress(OSError):  # it is gone, which is heard below
                    connection.send(task)
            if not busy:
                break
            for one in cast("list[Connection]", wait(list(busy))):
                task, done = busy.pop(one), _heard(one)
                if done.lost:
                    self.say(f"worker {number_of[one]} is lost: {done.why}; {task.title} is left to others")
                    left.insert(0, task)
                else:
                    idle[one] = number_of[one]
                    self._note(task, done)
        if left and not idle:
            raise HarnessError(f"all {len(number_of)} workers failed; the same command continues")

    def _next(self, left: list[Task], busy: Iterable[Task]) -> Task | None:
        """Return the next task that can be made; those that go on from a failed one fail with it."""
        for task in left[:]:
            why = next((self.failed[name] for name in task.needs if name in self.failed), None)
            if why is not None:
                left.remove(task)
                self.failed[task.fingerprint] = why
        awaited = {task.fingerprint for task in [*left, *busy]}
        free = (task for task in left if not task.needs & awaited)
        return next((task for task in free if self._dealt.get(task.fingerprint, 0) < DEALT), None)

    def _note(self, task: Task, done: Done) -> None:
        if done.why is not None:
            self.failed[task.fingerprint] = done.why
        self.heard(task, done)


def _heard(connection: Connection) -> Done:
    try:
        heard: Done = connection.recv()
    except (EOFError, OSError):
        heard = Done(made=False, seconds=0.0, why="its process was ended", lost=True)
    return heard


def _start(call: WorkerCall, number: int) -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=_work, args=(call, number, its))
    process.start()
    its.close()
    return process, ours


def _work(call: WorkerCall, number: int, connection: Connection) -> None:
    """Make what the command deals to this worker, until it deals no more."""
    on_signals()
    os.setpgrp()  # so that only the command forwards an interrupt, once
    end_with_parent()
    use_gpu(number)
    try:
        torch.set_num_threads(call.threads)
        stages = Stages(Store(call.store), Progress(quiet=True), means=call.means)
        while True:
            connection.send(_made(stages, connection.recv()))
    except EOFError:
        return
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # whatever one worker meets is told by the command in a line
        with suppress(OSError):
            connection.send(Done(made=False, seconds=0.0, why=_line(error), lost=True))
        sys.exit(1)


def _made(stages: Stages, task: Task) -> Done:
    begin = time.monotonic()
    try:
        stages.run(task.settings, task.title)
    except RunError as error:
        return Done(made=False, seconds=time.monotonic() - begin, why=" ".join(str(error).split()))
    return Done(made=task.fingerprint in stages.made, seconds=time.monotonic() - begin)


def _line(error: Exception) -> str:
    """Return an error in one line; one that no border foresaw with its type."""
    if isinstance(error, HarnessError):
        return "; ".join(str(error).splitlines())
    return f"{type(error).__name__}: {first_line(error)}"
