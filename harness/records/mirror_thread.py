"""Mirroring on a thread of its own, so that training never waits for a server.

The thread is a daemon, and nothing it does is lost with it: the run folder is the truth, and what a mirror
lacks is found there again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from harness.errors import HarnessError

PAUSE_S = 60.0
"""Pause after a server's failure, so that one that is away is not asked at every checkpoint."""

PATIENCE_S = 30.0
"""How long the end of a command waits for a server that gives no answer; one that answers is waited for."""

LOG = logging.getLogger(__name__)


class ServerError(HarnessError):
    """A mirror cannot be written now; the same may succeed later."""


class MirrorThread:
    """Writes run folders to a mirror, one after the other, on one thread.

    Args:
        write: brings a run folder's mirror up to date. What it raises is kept and told. After a `ServerError`
            the thread pauses and tries again; after anything else it goes on with the next folder.
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
        """Remember that there is something new in a run folder; returns at once."""
        with self._changed:
            self._news[folder] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def answered(self) -> None:
        """Say that the server has answered; `finish` is patient with one that does."""
        self._answered_at = time.monotonic()

    def finish(self) -> dict[Path, str]:
        """Write what is left, and end the thread.

        Returns:
            The folders that are not mirrored as they are, and why. Each is tried once more, until the
            server fails or has not answered for `PATIENCE_S`.
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
        """End the thread after the call it is in, without waiting for it."""
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
        """Wait for the next folder; none when the thread is to end."""
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
        """Note how the writing of a folder ended."""
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
            LOG.warning("%s; the run goes on, and the mirror is tried again", error)
