"""Leases: of several processes on one store, one makes a product and the others wait for it.

A lease is two files in `store/leases/`: a lock of the operating system, and a note that says who holds it
and whose time of change is its heartbeat. The kernel releases the lock of a process that dies, so that
another takes over at once. Between hosts a lock may not reach: there a note with a young heartbeat counts
as held, one with an old heartbeat as left behind. A lease is only ever waited for by those who hold one
above it in the chain of fingerprints (collection, tokens, base run, candidates, run), so no two wait for
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

from harness.errors import HarnessError, UserError
from harness.storage.files import make_folder, write_json
from harness.storage.stopping import not_within

HEARTBEAT_S = 10.0
STALE_S = 120.0
"""Age of another host's heartbeat above which its process counts as dead; clocks must differ by less.

A heartbeat that is as far in the future is nobody's, either.
"""

POLL_S = 0.5


class BusyError(HarnessError):
    """Another process holds the lease, and the caller does not wait."""


@contextmanager
def lease(path: Path, what: str, say: Callable[[str], None], *, wait: bool = True) -> Iterator[None]:
    """Hold a lease during the block.

    Args:
        path: path of the lease's files, without their suffixes.
        what: name of the product, for the message while waiting.
        say: called once with that message if the lease is not free.
        wait: whether to wait until the lease is free.

    Raises:
        BusyError: another process holds the lease, and `wait` is false.
        UserError: something else stands in the place of its files.
    """
    lock, note = FileLock(path.with_name(f"{path.name}.lock")), path.with_name(f"{path.name}.json")
    make_folder(path.parent)
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(note, stop), daemon=True)
    try:
        _await(lock, note, what, say, wait=wait)
        beat.start()
        yield
    finally:
        stop.set()
        with not_within():  # filelock has locks of its own, which a signal must not leave held
            if beat.ident is not None:
                beat.join()
            if lock.is_locked:
                if note.is_file():  # something else may be in its place
                    note.unlink()
                lock.release()
            del lock


def _await(lock: FileLock, note: Path, what: str, say: Callable[[str], None], *, wait: bool) -> None:
    """Acquire the lock, once nobody holds the lease.

    Raises:
        BusyError: another process holds the lease, and `wait` is false.
    """
    announced = False
    while True:
        with not_within():
            acquired = _acquire(lock, note)
        if acquired:
            return
        line = f"{what} is being made by {_holder(note)}"
        if not wait:
            raise BusyError(line)
        if not announced:
            say(f"waiting: {line}")
        announced = True
        time.sleep(POLL_S)


def _acquire(lock: FileLock, note: Path) -> bool:
    """Acquire the lock and write the note, unless another process holds the lease.

    Raises:
        UserError: something else stands in the place of the lock.
    """
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except OSError as error:
        where, fix = lock.lock_file, "move it away and run again"
        raise UserError(f"cannot be locked ({error.strerror})", where=str(where), fix=fix) from error
    if _held_elsewhere(note):
        lock.release()
        return False
    write_json(note, {"host": socket.gethostname(), "pid": os.getpid(), "since": time.time()})
    return True


def _held_elsewhere(note: Path) -> bool:
    """Return whether a live process on another host holds the lease, where the lock may not work."""
    with suppress(FileNotFoundError):
        host = _read(note).get("host", socket.gethostname())
        return host != socket.gethostname() and abs(time.time() - note.stat().st_mtime) < STALE_S
    return False


def _holder(note: Path) -> str:
    holder = _read(note)
    return f"process {holder['pid']} on {holder['host']}" if holder else "another process"


def _read(note: Path) -> dict[str, Any]:
    """Return the content of a note; empty if it is missing or torn."""
    try:
        holder = json.loads(note.read_text(encoding="utf-8"))
        return holder if isinstance(holder, dict) and holder.keys() >= {"host", "pid"} else {}
    except (OSError, ValueError):
        return {}


def _beat(note: Path, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT_S):
        with suppress(OSError):
            os.utime(note)
