"""Easy and hard negatives in a fixed ratio."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.negatives.candidates import Candidates, Weights
from harness.negatives.laws.law import only_valid, uniform_fill
from harness.negatives.noise import Noise
from harness.pieces import Piece


class Blend(Piece):
    """The first source of a union gets the share ``hard`` of the weight, the others together the rest.

    Within a share, candidates have equal weights. Each draw is hard with probability ``hard``; without
    replacement, later draws depend on the remaining candidates.
    """

    name: Literal["blend"] = "blend"
    summary: ClassVar[str] = "easy and hard negatives in a fixed ratio"
    citation: ClassVar[str] = "Huang et al. 2020 (EBR), section 6.2: easy to hard 100 to 1"
    formula: ClassVar[str] = "hard / |hard candidates|, or (1 - hard) / |easy candidates|"
    shift_free: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"union"})

    hard: float = Field(default=1 / 101, ge=0, le=1)

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return the logarithm of each candidate's part of its share."""
        hard = candidates.valid & (candidates.origin == 0)
        easy = candidates.valid & ~hard
        with np.errstate(divide="ignore"):
            of_hard = np.log(self.hard) - np.log(np.maximum(hard.sum(axis=1, keepdims=True), 1))
            of_easy = np.log(1 - self.hard) - np.log(np.maximum(easy.sum(axis=1, keepdims=True), 1))
        log_weight = np.where(hard, of_hard, of_easy)
        return Weights(only_valid(candidates, log_weight), (uniform_fill(candidates),))
