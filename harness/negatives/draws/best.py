"""The candidates of greatest weight, without chance."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from harness.negatives.candidates import Candidates, Draws, Weights
from harness.negatives.draws.take import take
from harness.negatives.noise import Noise
from harness.pieces import Piece


class Best(Piece):
    """The n candidates of greatest weight; ties go to the smaller document number."""

    name: Literal["best"] = "best"
    summary: ClassVar[str] = "the n candidates of greatest weight"
    citation: ClassVar[str] = "SimANS, section 5.2, Nearest-K"

    def __call__(self, candidates: Candidates, weights: Weights, noise: Noise, n: int) -> Draws:
        """Select the n candidates of greatest weight in each row."""
        tie_break = -1e-12 * np.argsort(np.argsort(candidates.document, axis=1), axis=1)
        return take(candidates, weights, tie_break, n)
