"""The run folder of a process that shares a run and does not record it."""

from __future__ import annotations

from harness.records.run_folder import RunFolder


class UnwrittenFolder(RunFolder):
    """Reads a run folder as another process writes it; what it is given to record, that one records."""

    def log(self, phase: str, step: int, **metrics: float) -> None:
        """Do nothing."""

    def settle(self) -> None:
        """Do nothing."""
