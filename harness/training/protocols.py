"""What the trainer needs of those who record it and of its settings, and nothing more."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

Precision = Literal["float32", "tf32", "bfloat16"]
"""Of the products of matrices within a model; ``tf32`` is float32 on what is no GPU."""

PLACES = 4096
"""Token places of a bucket where nothing is said."""


class Writer(Protocol):
    """Where a training run is recorded; the trainer knows nothing else of records."""

    folder: Path

    def log(self, phase: str, step: int, **metrics: float) -> None:
        """Record metrics of a step."""
        ...

    def settle(self) -> None:
        """Make what was recorded outlast a power failure; before what counts on it is saved."""
        ...


class Rates(Protocol):
    """How a learner's steps change its weights."""

    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def weight_decay(self) -> float: ...  # noqa: D102
    @property
    def lr_warmup_share(self) -> float: ...  # noqa: D102
    @property
    def clip_norm(self) -> float: ...  # noqa: D102


class TrainedPhase(Rates, Protocol):
    """The settings of a phase that the trainer reads (`harness.specs.settings.PhaseSettings`)."""

    @property
    def steps(self) -> int: ...  # noqa: D102
    @property
    def batch(self) -> int: ...  # noqa: D102
    @property
    def refresh(self) -> int | None: ...  # noqa: D102
    @property
    def places(self) -> int: ...  # noqa: D102
    @property
    def precision(self) -> Precision: ...  # noqa: D102
