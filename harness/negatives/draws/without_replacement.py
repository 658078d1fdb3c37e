"""Successive draws without replacement, by Gumbel top-k."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.negatives.candidates import Candidates, Draws, Weights
from harness.negatives.draws.draw import FINAL_STAGE, gumbel
from harness.negatives.draws.take import take
from harness.negatives.noise import Noise
from harness.pieces import Piece


class WithoutReplacement(Piece):
    """The n largest of log-weight plus Gumbel noise.

    They have the distribution of n successive draws, each in proportion to the remaining weights.
    """

    name: Literal["without-replacement"] = "without-replacement"
    summary: ClassVar[str] = "n distinct candidates, each in proportion to the remaining weights"
    citation: ClassVar[str] = "Gumbel top-k: Yellott 1977; Kool et al. 2019"

    def __call__(self, candidates: Candidates, weights: Weights, noise: Noise, n: int) -> Draws:
        """Draw n distinct candidates of each row."""
        return take(candidates, weights, gumbel(noise.of(candidates, FINAL_STAGE)), n)
