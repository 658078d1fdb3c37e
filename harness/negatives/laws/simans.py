"""SimANS: negatives about as relevant as the positive."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.negatives.candidates import Candidates, Floats, Weights
from harness.negatives.laws.law import DOCUMENTS, NOTHING, Gap, only_valid, uniform_fill
from harness.negatives.noise import Noise
from harness.pieces import Piece

DECISIVE = 100.0
"""Difference of log-weights between successive ranks, too large for Gumbel noise (-4 to 37) to overcome."""


class SimANS(Piece):
    """A bell over the gap s(q, d-) - s(q, d+), as the paper prints it and as the code computes it."""

    name: Literal["simans"] = "simans"
    summary: ClassVar[str] = "a bell over the score gap to the positive"
    citation: ClassVar[str] = "SimANS, equation 4; a = 0.5, b = 0 for MS-Pas (appendix D)"
    formula: ClassVar[str] = "exp(-a (s- - s+ - b)^2)"

    a: float = Field(default=0.5, ge=0, le=1e6)
    b: float = Field(default=0.0, ge=-1e6, le=1e6)
    shape: Literal["squared", "laplace"] = Field(
        default="squared",
        description=(
            "`squared` is exp(-a (gap - b)^2); `laplace` is exp(-a |gap - b|), which the MS-Pas "
            "script has in its place (a = 3, no b; utils/MARCO_until_new.py:136)."
        ),
    )
    b_enters: Literal["subtracted", "added"] = Field(
        default="subtracted",
        description=(
            "the paper subtracts b, the code adds it (utils/util_wiki.py:624, MARCO_until_Doc.py:131)."
        ),
    )
    missed: Literal["scored", "uniform", "last"] = Field(
        default="scored",
        description=(
            "a positive that the retriever missed is scored (paper, Algorithm 1, line 3). The code "
            "sets its score to 0 and then departs from the law: `uniform` over the candidates "
            "(utils/util_wiki.py:617), or the `last` of the ranked list "
            "(utils/MARCO_until_new.py:179)."
        ),
    )
    gap: Gap = "raw"

    @property
    def shift_free(self) -> bool:
        """Only cosines depend on the origin of the scores."""
        return self.gap != "cosine"

    @property
    def needs(self) -> frozenset[str]:
        """Norms of embeddings, for cosines."""
        return DOCUMENTS if self.gap == "cosine" else NOTHING

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return the log-weights of the bell, or of the code's treatment of missed positives."""
        gap = candidates.gap(self.gap)
        gap += self.b if self.b_enters == "added" else -self.b
        bell = np.square if self.shape == "squared" else np.abs
        log_weight = bell(gap, out=gap)
        log_weight *= -self.a
        if self.missed != "scored":
            missed = ~candidates.positive_retrieved[:, None]
            log_weight = np.where(missed, self._without_positive(candidates), log_weight)
        return Weights(only_valid(candidates, log_weight), (uniform_fill(candidates),))

    def _without_positive(self, candidates: Candidates) -> Floats:
        if self.missed == "uniform":
            return np.zeros(candidates.score.shape)
        rank = np.where(candidates.valid, candidates.rank(), 0)
        return np.asarray(DECISIVE * (rank - rank.max(axis=1, keepdims=True)))
