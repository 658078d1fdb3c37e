"""Doc-Sim: the ablation of SimANS that looks from the positive instead of the query."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.negatives.candidates import Candidates, Weights
from harness.negatives.laws.law import DOCUMENTS, only_valid, uniform_fill
from harness.negatives.noise import Noise
from harness.pieces import Piece


class DocSim(Piece):
    """Weights from s(d+, d-), "replacing" the query's scores.

    The paper prints no formula. ``released``: exp(a |s(d+, d-) - min over the row|), from a class that no
    script uses (utils/MARCO_until_new.py:263-399). ``bell``: equation 4 with s(d+, d-) instead of s(q, d-).
    """

    name: Literal["doc-sim"] = "doc-sim"
    summary: ClassVar[str] = "weights that grow with the similarity to the positive"
    citation: ClassVar[str] = "SimANS, Table 6; code utils/MARCO_until_new.py:263-399"
    formula: ClassVar[str] = "exp(a |s+- - min s+-|)"
    shift_free: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = DOCUMENTS

    a: float = Field(default=0.5, ge=0, le=1e6)
    reading: Literal["released", "bell"] = "released"

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return the log-weights of the chosen reading."""
        similarity = candidates.positive_similarity.astype(np.float64)
        if self.reading == "bell":
            log_weight = -self.a * np.square(similarity - candidates.positive_score[:, None])
        else:
            log_weight = self.a * similarity  # the row's minimum is a constant factor
        return Weights(only_valid(candidates, log_weight), (uniform_fill(candidates),))
