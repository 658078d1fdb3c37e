"""Independent draws with replacement."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from harness.negatives.candidates import Candidates, Draws, Floats, Integers, Weights
from harness.negatives.draws.draw import FINAL_STAGE, has_weight, refuse_empty
from harness.negatives.noise import Noise
from harness.pieces import Piece


class WithReplacement(Piece):
    """n independent draws in proportion to the weights; a candidate may be drawn several times."""

    name: Literal["with-replacement"] = "with-replacement"
    summary: ClassVar[str] = "n independent draws, in which a candidate may be drawn more than once"
    citation: ClassVar[str] = "SimANS, README of the released code (random.choices)"

    def __call__(self, candidates: Candidates, weights: Weights, noise: Noise, n: int) -> Draws:
        """Draw n times from each row; a row without weights uses the first fill that has weights."""
        weighted = has_weight(weights.log_weight)
        log_weight = weights.log_weight
        for fill in weights.fills:
            log_weight = np.where(has_weight(log_weight)[:, None], log_weight, fill)
        refuse_empty(candidates, has_weight(log_weight))
        column = independent(candidates, log_weight, noise.of_row(candidates, FINAL_STAGE, n))
        return Draws(
            column=column,
            document=np.take_along_axis(candidates.document, column, axis=1),
            filled=np.where(weighted, 0, n).astype(np.int64),
            tiled=np.zeros(len(column), dtype=np.int64),
        )


def independent(candidates: Candidates, log_weight: Floats, noise: Floats) -> Integers:
    """Return columns drawn with replacement, [R, n], by inverting the distribution over document numbers.

    Args:
        candidates: R rows of K candidates.
        log_weight: [R, K] log-weights, at least one of them finite in each row; R may be 0.
        noise: [R, n] uniform noise in (0, 1).
    """
    order = np.argsort(candidates.document, axis=1, kind="stable")
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    heap = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
    place = [np.searchsorted(row, u * row[-1]) for row, u in zip(heap, noise, strict=True)]
    return np.take_along_axis(order, np.array(place, dtype=np.int64).reshape(noise.shape), axis=1)
