"""Leases: of several processes on one store, one makes a product and the others wait for it.

A lease is two files in `store/leases/`: a lock of the operating system, and a note that says who holds it
and whose time of change is its heartbeat. The kernel releases the lock of a process that dies, so that
another takes over at once. Between hosts a lock may not reach: there a note with a young heartbeat counts
as held, one with an old heartbeat as left behind. A lease is only ever waited for by those who hold one
above it in the chain of fingerprints (collection, tokens, warm-up, candidates, run), so no two wait for
each other.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from harness.errors import HarnessError
from harness.storage.files import write_json

HEARTBEAT_S = 10.0
STALE_S = 120.0
"""Age of a heartbeat from another host at which its process counts as dead; clocks differ by less."""

POLL_S = 0.5


class BusyError(HarnessError):
    """Another process holds the lease, and waiting was not wanted."""


@contextmanager
def lease(path: Path, what: str, say: Callable[[str], None], *, wait: bool = True) -> Iterator[None]:
    """Hold a lease while the block runs.

    Args:
        path: the lease's files without their endings.
        what: is made under it, for the line that is said while waiting.
        say: called with that line, once.
        wait: until it is free.

    Raises:
        BusyError: it is held, and `wait` is false.
    """
    lock, note = FileLock(path.with_name(f"{path.name}.lock")), path.with_name(f"{path.name}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    announced = False
    while not _acquire(lock, note):
        line = f"{what} is being made by {_holder(note)}"
        if not wait:
            raise BusyError(line)
        if not announced:
            say(f"waiting: {line}")
        announced = True
        time.sleep(POLL_S)
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(note, stop), daemon=True)
    try:
        beat.start()
        yield
    finally:
        stop.set()
        beat.join()
        note.unlink(missing_ok=True)
        lock.release()


def _acquire(lock: FileLock, note: Path) -> bool:
    """Take the lock and write the note, if nobody else holds them."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    if _held_elsewhere(note):
        lock.release()
        return False
    write_json(note, {"host": socket.gethostname(), "pid": os.getpid(), "since": time.time()})
    return True


def _held_elsewhere(note: Path) -> bool:
    """Whether a process on another host, which the lock may not reach, holds the lease and is alive."""
    with suppress(FileNotFoundError):
        host = _read(note).get("host", socket.gethostname())
        return host != socket.gethostname() and time.time() - note.stat().st_mtime < STALE_S
    return False


def _holder(note: Path) -> str:
    holder = _read(note)
    return f"process {holder['pid']} on {holder['host']}" if holder else "another process"


def _read(note: Path) -> dict[str, Any]:
    """Return who wrote a note; nothing where there is none, or it was torn."""
    try:
        holder = json.loads(note.read_text(encoding="utf-8"))
        return holder if isinstance(holder, dict) and holder.keys() >= {"host", "pid"} else {}
    except (OSError, ValueError):
        return {}


def _beat(note: Path, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT_S):
        with suppress(OSError):
            os.utime(note)
