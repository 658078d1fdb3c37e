"""SimANS: negatives about as relevant as the positive."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from harness.negatives.candidates import Candidates, Weights
from harness.negatives.laws.law import STRICT, Gap, only_valid, uniform_fill
from harness.negatives.noise import Noise


@dataclass(frozen=True, config=STRICT)
class SimANS:
    """exp(-a (s(q, d-) - s(q, d+) - b)^2).

    The released code adds b where the paper subtracts it (utils/util_wiki.py:624); write a negative b for it.
    """

    name: ClassVar[str] = "simans"
    summary: ClassVar[str] = "a bell over the score gap to the positive"
    source: ClassVar[str] = "SimANS, equation 4; a = 0.5, b = 0 for MS-Pas (appendix D)"

    a: float = Field(default=0.5, ge=0)
    b: float = 0.0
    gap: Gap = "raw"

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return -a (gap - b)^2."""
        log_weight = -self.a * np.square(candidates.gap(self.gap) - self.b)
        return Weights(only_valid(candidates, log_weight), (uniform_fill(candidates),))
