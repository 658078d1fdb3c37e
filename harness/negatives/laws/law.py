"""What every law is: a frozen, validated set of parameters that weighs candidates."""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol

import numpy as np

from harness.negatives.candidates import Candidates, Floats, Weights
from harness.negatives.noise import Noise
from harness.pieces import STRICT as STRICT  # noqa: PLC0414  (pieces take it from here)

Gap = Literal["raw", "standardised", "cosine"]
"""Scale of s(q, d-) - s(q, d+): inner products as they are, per-row standardised, or cosines."""

NOTHING: frozenset[str] = frozenset()
DOCUMENTS = frozenset({"documents"})


class Law(Protocol):
    """A law of sampling.

    Attributes:
        name: as written in a spec.
        summary: one line for documentation and table labels.
        citation: paper and equation, or line of the released code.
        formula: the weight as text, s- for s(q, d-), s+ for s(q, d+), s+- for s(d+, d-).
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    citation: ClassVar[str]
    formula: ClassVar[str]

    @property
    def shift_free(self) -> bool:
        """Whether adding a constant to all scores, s(d+, d-) among them, changes nothing."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """What candidates must have: ``documents`` (embeddings of documents), ``union`` (of two sources)."""
        ...

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return the weights of the candidates; `noise` serves laws that draw in stages."""
        ...


def only_valid(candidates: Candidates, log_weight: Floats) -> Floats:
    """Return log-weights with -inf at candidates that may not be drawn."""
    return log_weight if candidates.valid.all() else np.where(candidates.valid, log_weight, -np.inf)


def uniform_fill(candidates: Candidates) -> Floats:
    """Return the filling that takes any valid candidate alike."""
    return only_valid(candidates, np.zeros(candidates.score.shape))


def log_of(weight: Floats) -> Floats:
    """Return log(weight) with -inf at and below 0, quietly."""
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(weight, 0.0))
