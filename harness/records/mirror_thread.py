"""A thread that mirrors run folders, so that training never waits for a server.

It is a daemon thread, which may end at any time without loss: the run folder is the truth, from which the
mirror can be completed later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TypeVar

from harness.errors import HarnessError

Answer = TypeVar("Answer")

PAUSE_S = 60.0
"""Seconds to wait after a server's failure, to avoid a request at every checkpoint."""

PATIENCE_S = 30.0
"""Seconds that the end of a command waits for a server that does not answer."""

LOG = logging.getLogger(__name__)


class ServerError(HarnessError):
    """The mirror cannot be written at present; a later attempt may succeed.

    Args:
        what: what is wrong.
        fix: what to do, where that is known.
    """

    def __init__(self, what: str, fix: str = "") -> None:
        self.fix = fix
        super().__init__(f"{what}; {fix}" if fix else what)


class NoAnswerError(ServerError):
    """The server did not answer in time."""


def with_patience(call: Callable[[Callable[[], None]], Answer]) -> Answer:
    """Return what a call returns; it runs on a thread, which is left behind if its server hangs.

    Args:
        call: takes what it is to call after each answer of the server.

    Raises:
        NoAnswerError: there was no answer for `PATIENCE_S`.
    """
    future: Future[Answer] = Future()
    answered_at = [time.monotonic()]

    def run() -> None:
        try:
            future.set_result(call(lambda: answered_at.__setitem__(0, time.monotonic())))
        except BaseException as error:  # it is raised again by the thread that waits
            future.set_exception(error)

    threading.Thread(target=run, name="server", daemon=True).start()
    while not future.done():
        remaining = answered_at[0] + PATIENCE_S - time.monotonic()
        if remaining <= 0:
            raise NoAnswerError(f"no answer for {PATIENCE_S:g} s")
        wait([future], timeout=remaining)
    return future.result()


class MirrorThread:
    """Writes run folders to a mirror, one after the other, on one thread.

    Args:
        write: updates the mirror of a run folder. Its errors are recorded and reported by `finish`. After a
            `ServerError` the thread pauses and tries again; after any other error it continues with the next
            folder.
    """

    def __init__(self, write: Callable[[Path], None]) -> None:
        self._write = write
        self._changed = threading.Condition()
        self._news: dict[Path, None] = {}  # an ordered set
        self._writing: Path | None = None
        self._failed: dict[Path, str] = {}
        self._thread: threading.Thread | None = None
        self._paused_until = 0.0
        self._answered_at = 0.0
        self._warned = self._closing = self._stopped = False

    def note(self, folder: Path) -> None:
        """Queue a run folder that has changed; returns immediately."""
        with self._changed:
            self._news[folder] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def answered(self) -> None:
        """Record an answer of the server, which extends the patience of `finish`."""
        self._answered_at = time.monotonic()

    def finish(self) -> dict[Path, str]:
        """Write the remaining folders, and end the thread.

        Each failed folder is tried once more, until the server fails or does not answer for `PATIENCE_S`.

        Returns:
            Folder that is not mirrored completely -> the reason.
        """
        self.answered()
        with self._changed:
            self._closing, self._paused_until = True, 0.0
            self._news |= dict.fromkeys(self._failed)
            self._changed.notify_all()
            while self._left() and not self._stopped:
                remaining = self._answered_at + PATIENCE_S - time.monotonic()
                if remaining <= 0:
                    break
                self._changed.wait(remaining)
            reason = next(iter(self._failed.values()), f"no answer for {PATIENCE_S:g} s")
            left = dict.fromkeys(self._left(), reason) | self._failed
        self.stop()
        return left

    def stop(self) -> None:
        """End the thread after its present call, without waiting for it."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _left(self) -> list[Path]:
        return [*([self._writing] if self._writing else []), *self._news]

    def _run(self) -> None:
        while (folder := self._next()) is not None:
            error: Exception | None = None
            try:
                self._write(folder)
            except Exception as raised:  # a mirror may raise whatever its server does; training goes on
                error = raised
            self._record(folder, error)

    def _next(self) -> Path | None:
        """Wait for the next folder; return None if the thread should end."""
        with self._changed:
            while not self._stopped:
                pause = self._paused_until - time.monotonic()
                if self._news and pause <= 0:
                    self._writing = next(iter(self._news))
                    del self._news[self._writing]
                    return self._writing
                self._changed.wait(pause if self._news else None)
        return None

    def _record(self, folder: Path, error: Exception | None) -> None:
        """Record the result of writing a folder."""
        with self._changed:
            self._writing = None
            self._failed.pop(folder, None)
            if error is not None:
                self._failed[folder] = str(error) or type(error).__name__
                if isinstance(error, ServerError):
                    self._news[folder] = None
                    self._paused_until = time.monotonic() + PAUSE_S
                    self._stopped = self._closing
            self._changed.notify_all()
        if error is not None and not self._warned and not self._closing:
            self._warned = True
            LOG.warning("%s; the run continues, and the mirror will be tried again", error)
