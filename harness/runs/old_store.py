"""Runs that were made before phases had names: their fingerprints are no run's now, so none is continued."""

from __future__ import annotations

from pathlib import Path

from harness.storage.store import Store

OLD_FIX = "remove them with `harness runs rm`, or read them with the commit in their environment.json"


def is_old(folder: Path) -> bool:
    """Whether the settings of a run do not name its phase."""
    path = folder / "spec.json"
    return path.exists() and b'"phase_name"' not in path.read_bytes()


def old_runs(store: Store) -> int:
    """Return how many runs of a store are of the old form."""
    return sum(map(is_old, sorted((store.root / "runs").glob("*"))))
