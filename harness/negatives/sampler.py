"""A sampler: law and draw over the candidates of a batch, and its diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.negatives.candidates import Candidates, Draws, Floats, Weights, check_scores
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
        ``effective_candidates``: exp of the entropy of the chances of a draw, fillings included, mean
        over rows;
        ``gap_sd``: standard deviation of s(q, d-) - s(q, d+); ``gap_mean``: its mean;
        ``zero_relu_share``: share of candidates with s(d+, d-) <= s(q, d-), if s(d+, d-) is known;
        ``fallback_rows_share``: share of rows that needed the law's fills or tiling;
        ``filled_share``: share of negatives that come from them.
    """
    weights = sampler.law.weigh(candidates, noise)
    draws = sampler(candidates, noise)
    gap = candidates.gap()[candidates.valid]
    triangle = (candidates.positive_similarity - candidates.score)[candidates.valid]
    known = not np.isnan(triangle).any()
    return {
        "effective_candidates": float(np.mean(effective_number(chances(weights, draws)))),
        "gap_mean": float(gap.mean()),
        "gap_sd": float(gap.std()),
        **({"zero_relu_share": float(np.mean(triangle <= 0))} if known else {}),
        "fallback_rows_share": float(np.mean((draws.filled + draws.tiled) > 0)),
        "filled_share": float(np.mean((draws.filled + draws.tiled) / sampler.negatives)),
    }


def chances(weights: Weights, draws: Draws) -> Floats:
    """Return the log-weights [R, K] of a draw, in rows that were filled those of law and fills together.

    A row that is filled by a share f of its negatives draws by the law with chance 1 - f and by the fills,
    among candidates without weight, with chance f.
    """
    mixture = weights.log_weight.copy()
    for row in np.flatnonzero(draws.filled):
        share, left = draws.filled[row] / draws.column.shape[1], int(draws.filled[row])
        by_law = _normalised(weights.log_weight[row])
        chance, free = (1 - share) * by_law, by_law == 0
        for fill in weights.fills:
            by_fill = _normalised(np.where(free, fill[row], -np.inf))
            taken = min(left, int(np.count_nonzero(by_fill)))
            chance += share * taken / draws.filled[row] * by_fill
            left, free = left - taken, free & (by_fill == 0)
        with np.errstate(divide="ignore"):
            mixture[row] = np.log(chance)
    return mixture


def _normalised(log_weight: Floats) -> Floats:
    """Return the chances [K] of weights; zeros where there is none."""
    top = log_weight.max()
    if not np.isfinite(top):
        return np.zeros(len(log_weight))
    weight = np.exp(log_weight - top)
    return np.asarray(weight / weight.sum())


def effective_number(log_weight: Floats) -> Floats:
    """Return exp(entropy) of the normalised weights of each row, [R]; 0 where a row has none."""
    top = np.max(log_weight, axis=1, keepdims=True)
    some = np.isfinite(top[:, 0])
    with np.errstate(invalid="ignore"):
        weight = np.where(some[:, None], np.exp(log_weight - top), 0.0)
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    entropy = -np.sum(share * np.log(np.maximum(share, 1e-300)), axis=1)
    return np.where(some, np.exp(entropy), 0.0)
