"""Weights that grow with the retriever's score."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.negatives.candidates import Candidates, Weights
from harness.negatives.laws.law import NOTHING, only_valid, uniform_fill
from harness.negatives.noise import Noise
from harness.pieces import Piece


class Score(Piece):
    """exp(s(q, d-) / t): the softmax of the candidates' scores.

    TriSampler prints "relevance score as sampling weight" without a formula; the softmax is our reading,
    since raw inner products can be negative.
    """

    name: Literal["score"] = "score"
    summary: ClassVar[str] = "softmax of the relevance scores"
    citation: ClassVar[str] = "TriSampler, Table 5, TopK; softmax is a reading"
    formula: ClassVar[str] = "exp(s- / t)"
    shift_free: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = NOTHING

    temperature: float = Field(default=1.0, ge=1e-6, le=1e6)

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return s(q, d-) / t."""
        log_weight = candidates.score.astype(np.float64) / self.temperature
        return Weights(only_valid(candidates, log_weight), (uniform_fill(candidates),))
