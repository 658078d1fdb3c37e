"""Paths of the store, which holds reproducible products: collections, tokens, states, candidates, runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness.storage.places import database_address, folder_from, sqlite_address


def published_results() -> Path:
    """Return the folder of the committed results: HARNESS_RESULTS, or `results` in the working directory."""
    return folder_from("HARNESS_RESULTS", "results")


def local_results() -> Path:
    """Return the folder of a user's own results, which git ignores."""
    return published_results() / "local"


@dataclass(frozen=True)
class Store:
    """The folders of a store, whose entries are named by their fingerprints.

    Attributes:
        root: root folder of the store; by default HARNESS_STORE, or `store` in the working directory.
    """

    root: Path

    @staticmethod
    def default() -> Store:
        """Return the store that commands use."""
        return Store(folder_from("HARNESS_STORE", "store"))

    def collection(self, fingerprint: str) -> Path:
        """Return the file of a prepared collection."""
        return self.root / "collections" / f"{fingerprint}.zip"

    def tokens(self, fingerprint: str) -> Path:
        """Return the folder of a token store."""
        return self.root / "tokens" / fingerprint

    def candidates(self, fingerprint: str) -> Path:
        """Return the file of the candidates of round 0."""
        return self.root / "candidates" / f"{fingerprint}.npz"

    def states(self, fingerprint: str) -> Path:
        """Return the folder of the states that a frozen part of an encoder computed."""
        return self.root / "states" / fingerprint

    def encoder(self, fingerprint: str) -> Path:
        """Return the folder of a whole encoder, written out of a run that trained a part of it."""
        return self.root / "encoders" / fingerprint

    def run(self, fingerprint: str) -> Path:
        """Return the folder of a training run."""
        return self.root / "runs" / fingerprint

    def lease(self, fingerprint: str) -> Path:
        """Return the path, without suffix, of the lease on a fingerprint."""
        return self.root / "leases" / fingerprint

    @property
    def tracking_uri(self) -> str:
        """MLflow's tracking address: MLFLOW_TRACKING_URI, or else an SQLite file in the store."""
        given = os.environ.get("MLFLOW_TRACKING_URI")
        return database_address(given) if given else sqlite_address(self.root / "mlflow.db")
