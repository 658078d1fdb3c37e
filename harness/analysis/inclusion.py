"""The chance of each candidate to be among the n that a sampler draws, without drawing.

Exact for every law that weighs without noise. A law that draws in stages (TriSampler) is exact given its
first stage, and averaged over visits of the noise of that stage alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from harness.analysis.successive import successive_inclusion
from harness.errors import UserError
from harness.negatives.candidates import Candidates, Floats, Integers, Weights, check_scores
from harness.negatives.draws.best import Best
from harness.negatives.draws.draw import has_weight, refuse_empty
from harness.negatives.draws.with_replacement import WithReplacement
from harness.negatives.draws.without_replacement import WithoutReplacement
from harness.negatives.noise import Noise
from harness.negatives.sampler import Sampler

EXACT, STAGED, COUNTED = "exact", "exact given the first stage", "counted"
"""How an inclusion probability was found."""


@dataclass(frozen=True)
class Inclusion:
    """Inclusion probabilities of one refresh.

    Attributes:
        chance: [R, K] probability to be among the n drawn; 0 where a candidate may not be drawn.
        how: ``exact``; ``exact given the first stage``, a mean over visits; ``counted`` over visits.
        visits: how many visits it is the mean of; 1 where exact.
    """

    chance: Floats
    how: str
    visits: int


def inclusion(
    sampler: Sampler, candidates: Candidates, *, visits: int = 16, seed: int = 0, round: int = 0
) -> Inclusion:
    """Return inclusion probabilities without drawing the final negatives.

    Without replacement they are those of successive draws (`harness.analysis.successive`), of which some may
    come from the law's fillings; with replacement 1 - (1 - p)^n; of the n best 0 or 1.

    Args:
        sampler: law, draw and n.
        candidates: of one refresh.
        visits: over how many visits the noise of a law's first stage is averaged; the standard error of a
            probability p is at most sqrt(p (1 - p) / visits), and falls likewise with the rows of a mean.
        seed: of that noise.
        round: of that noise.

    Raises:
        UserError: the draw has no closed form, a score is not finite, or a row has no candidate.
    """
    if sampler.draw.name not in _BY_DRAW:
        raise UserError(
            f"draw '{sampler.draw.name}' has no closed form: what is cut from a union depends on "
            "which candidates every batch took",
            where="inclusion probabilities",
            fix="count draws with `counted_inclusion`",
        )
    check_scores(candidates, similarity="documents" in sampler.law.needs)
    closed_form = _BY_DRAW[sampler.draw.name]
    total = np.zeros(candidates.score.shape)
    for visit in range(visits):
        noise = _Overheard(seed, round, np.full(len(total), visit))
        weights = sampler.law.weigh(candidates, noise)
        total += closed_form(sampler, candidates, weights, noise)
        refuse_empty(candidates, total.sum(axis=1) > 0)
        if not noise.stages:
            return Inclusion(total, EXACT, 1)
    return Inclusion(total / visits, STAGED, visits)


def counted_inclusion(
    sampler: Sampler, candidates: Candidates, *, visits: int = 16, seed: int = 0, round: int = 0
) -> Inclusion:
    """Return the share of visits in which each candidate was drawn; for any draw, with the error of counting.

    Args:
        sampler: law, draw and n.
        candidates: of one refresh.
        visits: how often each row is drawn.
        seed: of the noise.
        round: of the noise.

    Raises:
        UserError: a score is not finite, or a row has no candidate.
    """
    total = np.zeros(candidates.score.shape)
    for visit in range(visits):
        draws = sampler(candidates, Noise(seed, round, np.full(len(total), visit)))
        total += _marked(total.shape, draws.column)
    return Inclusion(total / visits, COUNTED, visits)


def closest_inclusion(sampler: Sampler, candidates: Candidates, *, visits: int = 16) -> Inclusion:
    """Return `inclusion`, or what is counted where the draw has no closed form."""
    find = inclusion if sampler.draw.name in _BY_DRAW else counted_inclusion
    return find(sampler, candidates, visits=visits)


@dataclass(frozen=True)
class _Overheard(Noise):
    """Noise that notes the stages for which a law asked; a law that asks for none weighs always alike."""

    stages: list[int] = field(default_factory=list)

    def of(self, candidates: Candidates, stage: int, copy: int = 0) -> Floats:
        self.stages.append(stage)
        return super().of(candidates, stage, copy)

    def of_row(self, candidates: Candidates, stage: int, copies: int) -> Floats:
        self.stages.append(stage)
        return super().of_row(candidates, stage, copies)


def _without_replacement(sampler: Sampler, candidates: Candidates, weights: Weights, noise: Noise) -> Floats:
    """Successive draws from the weights, then from each filling for what is still missing.

    A filling is reached only when all that could be taken before it are taken, so nothing that it depends on
    is left to chance.
    """
    chance = np.zeros(weights.log_weight.shape)
    missing = np.full(len(chance), sampler.negatives)
    for log_weight in (weights.log_weight, *weights.fills):
        left = np.where(chance > 0, -np.inf, log_weight)
        chance += successive_inclusion(left, missing)
        missing = np.maximum(missing - np.isfinite(left).sum(axis=1), 0)
    return chance


def _with_replacement(sampler: Sampler, candidates: Candidates, weights: Weights, noise: Noise) -> Floats:
    """Draw independently, by the first of weights and fillings that has any."""
    log_weight = weights.log_weight
    for fill in weights.fills:
        log_weight = np.where(has_weight(log_weight)[:, None], log_weight, fill)
    refuse_empty(candidates, has_weight(log_weight))
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    share = weight / weight.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(sampler.negatives * np.log1p(-share)))


def _best(sampler: Sampler, candidates: Candidates, weights: Weights, noise: Noise) -> Floats:
    """The n best are always the same ones."""
    return _marked(
        weights.log_weight.shape, sampler.draw(candidates, weights, noise, sampler.negatives).column
    )


def _marked(shape: tuple[int, ...], column: Integers) -> Floats:
    marked = np.zeros(shape)
    np.put_along_axis(marked, column, 1.0, axis=1)
    return marked


_BY_DRAW: dict[str, Callable[[Sampler, Candidates, Weights, Noise], Floats]] = {
    WithoutReplacement.name: _without_replacement,
    WithReplacement.name: _with_replacement,
    Best.name: _best,
}
