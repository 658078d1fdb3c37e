"""Debiased sampling of TriSampler's Table 5, in the readings that its one sentence admits.

The paper prints only that weights are computed "by reducing the impact of the positive relevance score".
No reading can be verified.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.negatives.candidates import Candidates, Floats, Weights
from harness.negatives.laws.law import DOCUMENTS, NOTHING, log_of, only_valid, uniform_fill
from harness.negatives.noise import Noise
from harness.pieces import Piece


class Debiased(Piece):
    """Softmax weights less a share of the positive's; six readings.

    - A: max(exp((s- - s+) / t) - tau, 0), the estimator of Chuang et al. 2020 for each candidate (default)
    - B: ReLU(s- - tau s+)
    - C: exp(beta s- / t), hardness weights; the other half of this reading is the debiased loss
      (Robinson et al. 2021), without which it is the law `score`
    - D: exp(-a (s- - lam s+)^2)
    - E: exp(s- / t) sigmoid((s+ - s-) / t)
    - F: ReLU(s- - lam s+-)

    s-, s+ and s+- are s(q, d-), s(q, d+) and s(d+, d-); t is ``temperature``.
    """

    name: Literal["debiased"] = "debiased"
    summary: ClassVar[str] = "softmax weights less a share of the positive's"
    citation: ClassVar[str] = (
        "TriSampler, Table 5 (no formula); Chuang et al. 2020, equation 8, per candidate"
    )
    formula: ClassVar[str] = "max(exp((s- - s+) / t) - tau, 0)"

    reading: Literal["A", "B", "C", "D", "E", "F"] = "A"
    tau: float = Field(default=0.1, ge=0, lt=1)
    temperature: float = Field(default=1.0, ge=1e-6, le=1e6)
    beta: float = Field(default=1.0, ge=1e-6, le=1e6)
    a: float = Field(default=0.5, ge=0, le=1e6)
    lam: float = Field(default=0.5, ge=0, le=1e6)

    @property
    def shift_free(self) -> bool:
        """Readings B, D and F use a share of a score instead of a difference."""
        return self.reading in {"A", "C", "E"}

    @property
    def needs(self) -> frozenset[str]:
        """Embeddings of documents for s(d+, d-), in reading F."""
        return DOCUMENTS if self.reading == "F" else NOTHING

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return the log-weights of the chosen reading; rows without enough weights are filled uniformly."""
        return Weights(only_valid(candidates, self._log_weight(candidates)), (uniform_fill(candidates),))

    def _log_weight(self, candidates: Candidates) -> Floats:
        score = candidates.score.astype(np.float64)
        positive = candidates.positive_score.astype(np.float64)[:, None]
        gap = (score - positive) / self.temperature
        if self.reading == "A":
            return _log_difference(gap, self.tau)
        if self.reading == "B":
            return log_of(score - self.tau * positive)
        if self.reading == "C":
            return np.asarray(self.beta * score / self.temperature)
        if self.reading == "D":
            return np.asarray(-self.a * np.square(score - self.lam * positive))
        if self.reading == "E":
            return np.asarray(score / self.temperature - np.logaddexp(0.0, gap))
        return log_of(score - self.lam * candidates.positive_similarity.astype(np.float64))


def _log_difference(exponent: Floats, tau: float) -> Floats:
    """Return log(max(exp(x) - tau, 0)) without overflow: x + log1p(-tau exp(-x)) where exp(x) > tau."""
    if tau == 0:
        return exponent
    above = exponent > np.log(tau)
    safe = np.where(above, exponent, 0.0)
    return np.where(above, safe + log_of(1.0 - tau * np.exp(-safe)), -np.inf)
