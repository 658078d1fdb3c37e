"""Runs that were made before phases had names: their fingerprints are no run's now, so none is continued."""

from __future__ import annotations

import json
from pathlib import Path

from harness.storage.store import Store

OLD_FIX = "remove them with `harness runs rm`, or read them with the commit in their environment.json"


def is_old(folder: Path) -> bool:
    """Whether the settings of a run do not name its phase."""
    try:
        settings = json.loads((folder / "spec.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(settings, dict) and "phase_name" not in settings


def old_runs(store: Store) -> int:
    """Return how many runs of a store are of the old form."""
    return sum(map(is_old, sorted((store.root / "runs").glob("*"))))
