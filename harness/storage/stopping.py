"""Signals that end a command: the first one ends it in order, a later one at once."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
"""Exit code of an interrupt: 128 and the number of SIGINT."""

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BURST_S = 2.0
"""Seconds in which further signals count as the same: a group of processes gets some twice."""

AGAIN_S = 0.05
"""Seconds after which a signal is raised again that came where nothing can be raised."""

SAID = "interrupted; the same command continues where it was"


class StoppedBySignal(KeyboardInterrupt):
    """A signal ends the command; what a KeyboardInterrupt leaves whole stays whole."""


class _Signals:
    """What has come, and whether it may be raised."""

    first: int | None = None
    first_at = 0.0
    held = 0
    waiting = False


def exit_code() -> int:
    """Return the exit code of an interrupted command, as a shell counts: 128 and the signal's number."""
    return 128 + (_Signals.first or signal.SIGINT)


def launched() -> bool:
    """Whether a launcher has started this process with others beside it, and says why they end."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def signal_came() -> bool:
    """Return whether a signal is what ends the command."""
    return _Signals.first is not None


def end() -> NoReturn:
    """End this process as a signal asks; see `leave`."""
    leave(exit_code())


def leave(code: int) -> NoReturn:
    """End this process, and those that it started, without tidying up, which may be what hangs or fails."""
    for child in multiprocessing.active_children():
        child.kill()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, RuntimeError):  # gone, or being written to
            stream.flush()
    os._exit(code)


def end_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the process that began this one dies, and cannot send one."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


def on_signals() -> None:
    """End this process, and only in order, by the signals of a terminal and of a scheduler.

    One that is ignored when the process starts, as `nohup` has it, stays ignored. One that comes while Python
    deletes an object, where nothing can be raised, is raised a moment later.
    """
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _take)
    told = sys.unraisablehook

    def swallowed(of: sys.UnraisableHookArgs) -> None:
        if issubclass(of.exc_type, StoppedBySignal):
            signal.signal(signal.SIGALRM, _take_again)
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        else:
            told(of)

    sys.unraisablehook = swallowed


@contextmanager
def not_within(agreed: Callable[[bool], bool] | None = None) -> Iterator[None]:
    """Hold a signal back until the block ends: a step of training is taken whole or not at all.

    Args:
        agreed: says whether to stop, from whether a signal came to this process, where processes do a step
            together and stop after the same one; what comes later waits for the next block.
    """
    _Signals.held += 1
    try:
        yield
        stops = agreed is not None and agreed(_Signals.waiting)
    finally:
        _Signals.held -= 1
    if (_Signals.waiting if agreed is None else stops) and not _Signals.held:
        _Signals.waiting = False
        raise StoppedBySignal(SAID)


def _take_again(number: int, frame: FrameType | None) -> None:
    if not _Signals.held:
        raise StoppedBySignal(SAID)
    _Signals.waiting = True


def _take(number: int, frame: FrameType | None) -> None:
    if _Signals.first is None:
        _Signals.first, _Signals.first_at = number, time.monotonic()
        if not _Signals.held:
            raise StoppedBySignal(SAID)
        _Signals.waiting = True
    elif time.monotonic() - _Signals.first_at > BURST_S:
        os.write(2, f"{SAID}\n".encode())
        end()  # nothing in the store is ever half-written
