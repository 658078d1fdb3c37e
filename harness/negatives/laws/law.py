"""The protocol of laws: frozen, validated sets of parameters that weigh candidates."""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol

import numpy as np

from harness.negatives.candidates import Candidates, Floats, Weights
from harness.negatives.noise import Noise

Gap = Literal["raw", "standardised", "cosine"]
"""Scale of s(q, d-) - s(q, d+): raw inner products, standardised for each row, or cosines."""

NOTHING: frozenset[str] = frozenset()
DOCUMENTS = frozenset({"documents"})


class Law(Protocol):
    """A law of sampling.

    Attributes:
        summary: description in one line.
        citation: paper and equation, or line of the released code.
        formula: the weight as text, with s- for s(q, d-), s+ for s(q, d+), s+- for s(d+, d-).
    """

    summary: ClassVar[str]
    citation: ClassVar[str]
    formula: ClassVar[str]

    @property
    def name(self) -> str:
        """Name in specs."""
        ...

    @property
    def shift_free(self) -> bool:
        """Whether the weights are invariant to a constant added to all scores, including s(d+, d-)."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """Requirements on candidates: ``documents`` (embeddings of documents), ``union`` (of two sources)."""
        ...

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return the weights of the candidates; laws with random stages use `noise`."""
        ...


def only_valid(candidates: Candidates, log_weight: Floats) -> Floats:
    """Return log-weights with -inf at invalid candidates."""
    return log_weight if candidates.valid.all() else np.where(candidates.valid, log_weight, -np.inf)


def uniform_fill(candidates: Candidates) -> Floats:
    """Return a fill with equal weights on all valid candidates."""
    return only_valid(candidates, np.zeros(candidates.score.shape))


def log_of(weight: Floats) -> Floats:
    """Return log(weight), with -inf at and below 0 and without a warning."""
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(weight, 0.0))
