"""Where things lie that can be made again: collections, tokens, candidates, training runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PUBLISHED = Path("results")
"""Committed results."""

LOCAL = PUBLISHED / "local"
"""A user's own results, ignored by git."""


@dataclass(frozen=True)
class Store:
    """The store's folders, each entry named by its fingerprint.

    Attributes:
        root: by default `store` in the working folder, or what HARNESS_STORE says.
    """

    root: Path

    @staticmethod
    def default() -> Store:
        """Return the store that commands use."""
        return Store(Path(os.environ.get("HARNESS_STORE", "store")))

    def collection(self, fingerprint: str) -> Path:
        """Return the file of a prepared collection."""
        return self.root / "collections" / f"{fingerprint}.zip"

    def tokens(self, fingerprint: str) -> Path:
        """Return the folder of a token store."""
        return self.root / "tokens" / fingerprint

    def candidates(self, fingerprint: str) -> Path:
        """Return the file of the candidates of round 0."""
        return self.root / "candidates" / f"{fingerprint}.npz"

    def run(self, fingerprint: str) -> Path:
        """Return the folder of a training run."""
        return self.root / "runs" / fingerprint

    def lease(self, fingerprint: str) -> Path:
        """Return the files, without their endings, of the lease on a fingerprint."""
        return self.root / "leases" / fingerprint

    @property
    def tracking_uri(self) -> str:
        """Return MLflow's default address: SQLite in the store, unless MLFLOW_TRACKING_URI says otherwise."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(self.root / 'mlflow.db').resolve()}"
