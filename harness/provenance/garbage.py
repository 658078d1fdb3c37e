"""What may be deleted from a store: nothing finished, and nothing that a target or a run depends on."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.provenance.dependencies import chains, known_collections, needs, runs_in_results, target_runs
from harness.provenance.stored import StoredRun, size_bytes, stored_runs, touched
from harness.specs.fingerprints import Chain
from harness.specs.library import Library
from harness.storage.files import UNFINISHED
from harness.storage.leases import BusyError, lease
from harness.storage.store import Store

DAY_S = 86_400.0
SETTLED_S = 3_600.0
"""A temporary file younger than this may belong to a process on another machine with the same store."""

NOT_NEEDED = "no run of a target or of the store depends on it"
TEMPORARY = re.compile(r"\..*\.([0-9]+)\.tmp")


@dataclass(frozen=True)
class Garbage:
    """Something that may be deleted.

    Attributes:
        path: a file or a folder.
        why: reason for the deletion.
        size_bytes: size on disk.
    """

    path: Path
    why: str
    size_bytes: int


@dataclass(frozen=True)
class GarbageReport:
    """What may be deleted from a store.

    Attributes:
        garbage: files and folders that may be deleted.
        unknown: fingerprints of runs without recorded dependencies; while one of them is unfinished,
            candidates and tokens are kept.
    """

    garbage: list[Garbage]
    unknown: list[str]


def find_garbage(library: Library, store: Store, results: Path, days: float) -> GarbageReport:
    """Return what may be deleted from a store.

    Args:
        library: specs, whose targets' runs are kept.
        store: the store to search.
        results: root of results, whose runs are kept.
        days: age in days after which unfinished runs may be deleted.

    Raises:
        UserError: a spec or a file of results is broken, so its dependencies are unknown.
    """
    collections, runs = known_collections(store, results), stored_runs(store)
    targets, named = target_runs(library, collections), runs_in_results(results)
    old = [run for run in runs if run.fingerprint not in named and _is_left(store, run, days)]
    remaining = chains([run for run in runs if run not in old])
    of: dict[str, Chain | None] = {**remaining, **{name: run.chain for name, run in targets.items()}}
    needed = set(needs(of)) | {links.tokens for links in of.values() if links is not None}
    unknown = [run for run in runs if run.fingerprint in remaining and of[run.fingerprint] is None]
    going_on = any(run.state == "unfinished" for run in unknown)  # it may depend on any of them
    deletable = [
        *((run.folder, f"unfinished, not touched for {days:g} days") for run in old),
        *((path, NOT_NEEDED) for path in _unneeded(store, needed) if not going_on),
        *((path, "left by a dead process") for path in _temporary(store, [run.folder for run in old])),
    ]
    garbage = [Garbage(path, why, size_bytes(path)) for path, why in deletable]
    return GarbageReport(garbage, [run.fingerprint for run in unknown])


def delete(paths: Sequence[Path]) -> None:
    """Delete files and folders; a folder is renamed first, so that none is half there after a crash."""
    for path in paths:
        if path.is_dir():
            beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            path.rename(beside)
            shutil.rmtree(beside)
        else:
            path.unlink(missing_ok=True)


def delete_runs(store: Store, runs: Sequence[StoredRun]) -> None:
    """Delete runs, all or none.

    Raises:
        BusyError: one is being made.
    """
    with ExitStack() as held:
        for run in runs:
            what = f"run {run.fingerprint}"
            held.enter_context(lease(store.lease(run.fingerprint), what, lambda text: None, wait=False))
        delete([run.folder for run in runs])


def _is_left(store: Store, run: StoredRun, days: float) -> bool:
    if run.state != "unfinished" or time.time() - touched(run.folder) <= days * DAY_S:
        return False
    try:
        with lease(store.lease(run.fingerprint), "a run", lambda text: None, wait=False):
            return True
    except BusyError:
        return False


def _unneeded(store: Store, needed: set[str]) -> Iterator[Path]:
    """Yield candidates, token stores and frozen states that nothing depends on."""
    for path in sorted((store.root / "candidates").glob("[!.]*.npz")):
        if path.stem not in needed:
            yield path
    for path in sorted((store.root / "tokens").glob("[!.]*")):
        if path.name not in needed:
            yield path
    for path in sorted((store.root / "states").glob("*")):
        if path.name.removeprefix(".").removesuffix(UNFINISHED) not in needed:
            yield path


def _temporary(store: Store, going: Sequence[Path]) -> Iterator[Path]:
    """Yield temporary files of dead processes, outside of folders that are deleted anyway."""
    for path in sorted(store.root.rglob(".*.tmp")):
        writer = TEMPORARY.fullmatch(path.name)
        inside = any(path.is_relative_to(folder) for folder in going)
        if writer and not inside and not _alive(int(writer[1])) and time.time() - touched(path) > SETTLED_S:
            yield path


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
