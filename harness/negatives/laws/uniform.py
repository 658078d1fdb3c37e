"""Equal weights."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.negatives.candidates import Candidates, Weights
from harness.negatives.laws.law import NOTHING, uniform_fill
from harness.negatives.noise import Noise
from harness.pieces import Piece


class Uniform(Piece):
    """Equal weights on all candidates."""

    name: Literal["uniform"] = "uniform"
    summary: ClassVar[str] = "equal weights on the candidates"
    citation: ClassVar[str] = "TriSampler, Table 5, Uniform; AR2 utils/util.py:577-587"
    formula: ClassVar[str] = "1"
    shift_free: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = NOTHING

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return zero log-weights."""
        return Weights(uniform_fill(candidates))
