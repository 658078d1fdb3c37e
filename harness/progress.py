"""Progress of long work, with the time left; quiet where the output is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from harness.errors import printable


class Progress:
    """Shows tasks one below the other on the error stream."""

    def __init__(self, quiet: bool | None = None) -> None:
        self._quiet = not sys.stderr.isatty() if quiet is None else quiet
        self._console = Console(stderr=True, markup=False, emoji=False)

    def say(self, text: str) -> None:
        """Print a line, also where the output is no terminal."""
        self._console.print(printable(text), highlight=False, soft_wrap=True)

    @contextmanager
    def task(self, name: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Show a task while the block runs; yields a function that takes what is done so far."""
        if self._quiet:
            yield lambda done: None
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=self._console, transient=True) as bars:
            task = bars.add_task(name, total=total)
            yield lambda done: bars.update(task, completed=done)
