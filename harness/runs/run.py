"""A run at its place in a store, and making a product once among several processes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.progress import Progress
from harness.records.run_folder import RunFolder
from harness.retrieval.ranks import ALONE, Ranks
from harness.specs.fingerprints import Chain
from harness.specs.run_settings import RunSettings
from harness.storage.leases import lease
from harness.storage.store import Store


@dataclass(frozen=True)
class Run:
    """A run at its place in a store, finished or not.

    Attributes:
        settings: resolved.
        chain: fingerprints of the run and of what it depends on.
        folder: named by the last of them.
    """

    settings: RunSettings
    chain: Chain
    folder: RunFolder


@dataclass(frozen=True)
class Means:
    """By what runs are computed: it decides nothing of them, and is in no fingerprint.

    Attributes:
        ranks: processes that train together; the first leads, records, and does all else alone.
        recompute: whether what leads to a bucket's vectors is computed twice, and not kept meanwhile.
        profile: whether a few steps of each phase are traced; not recorded.
        workers: how many runs of a target are made at once, each on one process; not recorded.
    """

    ranks: Ranks = ALONE
    recompute: bool = False
    profile: bool = False
    workers: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return what is recorded of them; nothing where one process keeps all."""
        means = {"ranks": self.ranks.count, "recompute": self.recompute}
        return {"means": means} if self.recompute or self.ranks.count > 1 else {}


@dataclass(frozen=True)
class Workshop:
    """A store to write to, and who is shown what happens.

    Attributes:
        store: where products lie.
        progress: shows what is done and how long it will take.
        means: by what runs are computed.
    """

    store: Store
    progress: Progress
    means: Means = field(default_factory=Means)

    def lease(self, fingerprint: str, what: str, *, wait: bool = True) -> AbstractContextManager[None]:
        """Hold the lease on a fingerprint; see :func:`harness.storage.leases.lease`."""
        return lease(self.store.lease(fingerprint), what, self.progress.say, wait=wait)

    def once(self, product: Path, fingerprint: str, what: str, make: Callable[[], None]) -> None:
        """Make a product unless it is there; of several processes, one."""
        if not product.exists():
            with self.lease(fingerprint, what):
                if not product.exists():
                    make()
