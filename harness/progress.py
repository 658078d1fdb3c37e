"""Progress of long work, with the time left; quiet where the output is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from harness.errors import printable


class Shown:
    """A task that is shown: called with what is done so far; has room for a note."""

    def __init__(self, bars: Bars | None = None, task: TaskID | None = None) -> None:
        self._bars, self._task = bars, task

    def __call__(self, done: int) -> None:
        """Show what is done."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done)

    def note(self, text: str) -> None:
        """Show a few words behind the bar."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, note=text)


class Progress:
    """Shows tasks one below the other on the error stream."""

    def __init__(self, quiet: bool | None = None) -> None:
        self._quiet = not sys.stderr.isatty() if quiet is None else quiet
        self._console = Console(stderr=True, markup=False, emoji=False)

    def say(self, text: str) -> None:
        """Print a line, also where the output is no terminal."""
        self._console.print(printable(text), highlight=False, soft_wrap=True)

    @contextmanager
    def task(self, name: str, total: int | None = None) -> Iterator[Shown]:
        """Show a task while the block runs; yields a function that takes what is done so far."""
        if self._quiet:
            yield Shown()
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        with Bars(*columns, console=self._console, transient=True) as bars:
            task = bars.add_task(name, total=total, note="")
            yield Shown(bars, task)
