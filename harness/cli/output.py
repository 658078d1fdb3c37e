"""Standard output: lines that a terminal shows as they are, and what to say where it cannot be written."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import typer

from harness.errors import HarnessError, printable
from harness.storage.disk import DiskFullError


def say(text: str, *, error: bool = False) -> None:
    """Print lines of text, to standard output or to the error stream."""
    typer.echo("\n".join(map(printable, text.split("\n"))), err=error)


@contextmanager
def standard_output() -> Iterator[None]:
    """Run the block with streams that take every letter; a name that they cannot encode is escaped.

    Raises:
        HarnessError: standard output could not be written, for example because its device is full.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            _flush()
    except (OSError, DiskFullError) as error:
        stuck = _stuck()
        if stuck is None:
            raise
        _discard()
        what = f"standard output could not be written ({stuck.strerror})"
        raise HarnessError(f"{what}; what the command made is kept; send its output elsewhere") from error


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _stuck() -> OSError | None:
    """Return why standard output cannot be written, if it cannot; else there is an empty line in it."""
    try:
        typer.echo()
    except OSError as error:
        return error
    return None


def _discard() -> None:
    """Send what standard output keeps to nowhere, else Python tries again, and tells of it, when it ends."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
