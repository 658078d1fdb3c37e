"""Storages of studies: the one place that opens them, journals and databases alike."""

from __future__ import annotations

import json
import logging
import os
import shlex
import threading
import warnings
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from harness.errors import HarnessError, UserError
from harness.records.mlflow_client import without_password
from harness.storage.leases import STALE_S
from harness.storage.places import database_address, sqlite_address, sqlite_file, written_path
from harness.storage.store import Store

HEARTBEAT_S = 15
TIMEOUT_S = 60
"""Seconds that a worker waits while another one writes to an SQLite file."""

SILENT_S = 2.0
"""Seconds that the lock of a journal is waited for without a word; it is held for milliseconds."""

LEFT_S = 30
"""Seconds after which the lock of a journal counts as left behind."""

OPTION = "--storage"
DATABASE = b"SQLite format 3\0"
"""First bytes of an SQLite database."""

LOG = logging.getLogger(__name__)


def open_storage(given: str | None, store: Store) -> BaseStorage:
    """Return the storage of studies.

    Args:
        given: address of a database, or path of a journal file; by default SQLite in the store.
        store: where the default database is.

    Raises:
        UserError: the storage cannot be opened, or has the file name of an earlier version.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if given is None:
        return _open_own(store)
    if "://" not in given:
        return _open_journal(written_path(given, OPTION).resolve())  # its lock is a link to it
    address = database_address(given)
    try:
        return _open_database(address)
    except Exception as error:  # whatever SQLAlchemy or a driver raises
        fix = "give the path of a journal file, or an address such as sqlite:///tuning.db"
        raise _unopened(error, f"{OPTION} {without_password(given)}", fix) from error


def _open_own(store: Store) -> BaseStorage:
    """Open the database in the store."""
    path, earlier = store.root / "tuning.db", store.root / "searches.db"
    if earlier.exists() and not path.exists():
        raise UserError("this file has a new name", where=str(earlier), fix=f"rename it to {path.name}")
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        return _open_database(sqlite_address(path))
    except Exception as error:  # as above
        fix = (
            f"give another storage with {OPTION}, or move the file away to begin the studies again, "
            "which reuse their runs; training and tables do not need it"
        )
        raise _unopened(error, str(path), fix) from error


def _open_database(address: str) -> BaseStorage:
    """Open a database, whose address Optuna takes for a template."""
    engine = {"connect_args": {"timeout": TIMEOUT_S}} if sqlite_file(address) is not None else None
    template = address.replace("{", "{{").replace("}", "}}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of heartbeats
        return RDBStorage(template, engine, heartbeat_interval=HEARTBEAT_S, grace_period=round(STALE_S))


def _open_journal(path: Path) -> BaseStorage:
    """Open a journal, or begin one; what is no journal, or a torn one, is refused before it is written to."""
    if path.is_dir():
        raise UserError("this is a folder", where=str(path), fix=f"give a file in it: {path / 'journal.log'}")
    lock = _PatientLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        backend = JournalFileBackend(str(path), lock)
        lock.acquire()
        try:
            _check_lines(path)
        finally:
            lock.release()
        return JournalStorage(backend)
    except Exception as error:  # as above
        raise _unopened(error, str(path), "give a file that can be read and written") from error


def _check_lines(path: Path) -> None:
    """Refuse a file with a line that is no record of a journal."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if number == 1 and line.startswith(DATABASE):
                raise UserError("this is a database", where=str(path), fix=f"write {sqlite_address(path)}")
            if not (line.endswith(b"\n") and _is_record(line)):
                fix = f"remove the line: sed -i '{number}d' {shlex.quote(str(path))}"
                raise UserError("this line of the journal is torn", where=f"{path}:{number}", fix=fix)


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _unopened(error: Exception, where: str, fix: str) -> HarnessError:
    """Return a line for whatever came of opening a storage."""
    if isinstance(error, HarnessError):
        return error
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UserError(f"cannot be opened ({without_password(reason)})", where=where, fix=fix)


class _PatientLock(JournalFileSymlinkLock):
    """The lock of a journal, which tells that it is waited for: a process that died may have left it."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), LEFT_S)
        self._link = Path(f"{path}.lock")

    def acquire(self) -> bool:
        """Wait for the lock, with a word if that takes long."""
        if not os.path.lexists(self._link):
            return super().acquire()
        waiting = threading.Timer(SILENT_S, self._say)
        waiting.daemon = True
        waiting.start()
        try:
            return super().acquire()
        finally:
            waiting.cancel()

    def _say(self) -> None:
        LOG.warning("waiting for %s; if a dead process left it, it is removed after %d s", self._link, LEFT_S)
