"""Standard output: lines that a terminal shows as they are, and what to say where it cannot be written."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile

import typer

from harness.errors import HarnessError, UserError, printable
from harness.storage.disk import DiskFullError

PROGRAM = "harness"


def say(text: str, *, error: bool = False) -> None:
    """Print lines of text, to standard output or to the error stream."""
    typer.echo("\n".join(map(printable, text.split("\n"))), err=error)


@contextmanager
def wrong_call_as_error() -> Iterator[None]:
    """Tell a wrong call of a command in one line; a command group without a command prints its help.

    Raises:
        UserError: an option or argument is unknown, missing or not valid.
    """
    try:
        yield
    except typer.TyperException as error:
        context, what = getattr(error, "ctx", None), error.format_message()
        if context is not None and what == context.get_help():
            say(what, error=True)
            raise SystemExit(error.exit_code) from error
        command = context.command_path if context is not None else _called()
        fix = None if what.endswith("?") else f"`{command} --help` shows what it takes"
        raise UserError(f"{what[:1].lower()}{what[1:].rstrip('.')}", where=command, fix=fix) from error


def _called() -> str:
    """Return the command that is called, for errors that do not know."""
    return " ".join([PROGRAM, *takewhile(lambda word: not word.startswith("-"), sys.argv[1:2])])


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
