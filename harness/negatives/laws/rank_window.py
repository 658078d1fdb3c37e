"""Negatives from a window of ranks."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from harness.negatives.candidates import Candidates, Weights
from harness.negatives.laws.law import NOTHING, only_valid, uniform_fill
from harness.negatives.noise import Noise
from harness.pieces import Piece


class RankWindow(Piece):
    """Equal weights on the ranks after ``first`` K up to ``last`` K by s(q, d-), K the row's candidates.

    Shares and not ranks, so that a capped K moves the window with it; 0.2 and 1 are ranks 101 to 500 of 500.
    """

    name: Literal["rank-window"] = "rank-window"
    summary: ClassVar[str] = "equal weights on a window of ranks"
    citation: ClassVar[str] = "Huang et al. 2020 (EBR), section 6.2: ranks 101 to 500"
    formula: ClassVar[str] = "1 where first K < rank <= last K"
    shift_free: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = NOTHING

    first: float = Field(default=0.2, ge=0, lt=1)
    last: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> RankWindow:
        if self.first >= self.last:
            raise ValueError(f"'first' ({self.first:g}) must lie below 'last' ({self.last:g})")
        return self

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return log-weights of 0 inside the window, with fills from the ranks nearest to it."""
        rank = candidates.rank().astype(np.float64)
        count = candidates.valid.sum(axis=1, keepdims=True)
        low, high = np.floor(self.first * count), np.ceil(self.last * count)
        inside = (rank >= low) & (rank < high)
        outside = np.maximum(low - rank, rank - high + 1)
        near = only_valid(candidates, -100.0 * outside)
        weights = only_valid(candidates, np.where(inside, 0.0, -np.inf))
        return Weights(weights, (near, uniform_fill(candidates)))
