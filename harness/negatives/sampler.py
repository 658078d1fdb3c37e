"""A sampler: law and draw over the candidates of a batch, and its diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.negatives.candidates import Candidates, Draws, Floats, check_scores
from harness.negatives.draws.draw import Draw
from harness.negatives.laws.law import Law
from harness.negatives.noise import Noise


@dataclass(frozen=True)
class Sampler:
    """Draws n negatives for each row.

    Attributes:
        law: law that weighs the candidates.
        draw: draw that selects n of the weighted candidates.
        negatives: number n of negatives for each row.
    """

    law: Law
    draw: Draw
    negatives: int

    def __call__(self, candidates: Candidates, noise: Noise) -> Draws:
        """Draw negatives for all rows of `candidates`.

        Raises:
            UserError: a score is not finite, or a row has no candidate.
        """
        check_scores(candidates, similarity="documents" in self.law.needs)
        return self.draw(candidates, self.law.weigh(candidates, noise), noise, self.negatives)


def diagnose(sampler: Sampler, candidates: Candidates, noise: Noise) -> dict[str, float]:
    """Return the diagnostics of a round.

    Returns:
        ``effective_candidates``: exp of the entropy of the law's weights, mean over rows;
        ``gap_sd``: standard deviation of s(q, d-) - s(q, d+); ``gap_mean``: its mean;
        ``zero_relu_share``: share of candidates with s(d+, d-) <= s(q, d-), if s(d+, d-) is known;
        ``fallback_rows_share``: share of rows that needed the law's fills or tiling.
    """
    weights = sampler.law.weigh(candidates, noise)
    draws = sampler(candidates, noise)
    gap = candidates.gap()[candidates.valid]
    triangle = (candidates.positive_similarity - candidates.score)[candidates.valid]
    known = not np.isnan(triangle).any()
    return {
        "effective_candidates": float(np.mean(effective_number(weights.log_weight))),
        "gap_mean": float(gap.mean()),
        "gap_sd": float(gap.std()),
        **({"zero_relu_share": float(np.mean(triangle <= 0))} if known else {}),
        "fallback_rows_share": float(np.mean((draws.filled + draws.tiled) > 0)),
    }


def effective_number(log_weight: Floats) -> Floats:
    """Return exp(entropy) of the normalised weights of each row, [R]; 0 where a row has none."""
    top = np.max(log_weight, axis=1, keepdims=True)
    some = np.isfinite(top[:, 0])
    with np.errstate(invalid="ignore"):
        weight = np.where(some[:, None], np.exp(log_weight - top), 0.0)
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    entropy = -np.sum(share * np.log(np.maximum(share, 1e-300)), axis=1)
    return np.where(some, np.exp(entropy), 0.0)
