"""Inclusion probabilities: the chance of each candidate to be among the n drawn, computed without drawing.

They are exact for laws without noise. For a law with two stages (TriSampler) they are exact given the first
stage, and averaged over the noise of that stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from harness.errors import UserError
from harness.negatives.candidates import Candidates, Floats, Integers, Weights, check_scores
from harness.negatives.draws.best import Best
from harness.negatives.draws.draw import has_weight, refuse_empty
from harness.negatives.draws.with_replacement import WithReplacement
from harness.negatives.draws.without_replacement import WithoutReplacement
from harness.negatives.noise import Noise
from harness.negatives.sampler import Sampler
from harness.negatives.successive import successive_inclusion
from harness.pieces import name_of

EXACT, STAGED, COUNTED = "exact", "exact given the first stage", "counted"
"""How an inclusion probability was computed."""


@dataclass(frozen=True)
class Inclusion:
    """Inclusion probabilities of one refresh.

    Attributes:
        chance: [R, K] probability to be among the n drawn; 0 for candidates that cannot be drawn.
        how: ``exact``; ``exact given the first stage``, a mean over visits; ``counted`` over visits.
        visits: number of visits in the mean; 1 if exact.
    """

    chance: Floats
    how: str
    visits: int


def inclusion(
    sampler: Sampler, candidates: Candidates, *, visits: int = 16, seed: int = 0, round: int = 0
) -> Inclusion:
    """Return inclusion probabilities without drawing the final negatives.

    Without replacement they are those of successive draws (`harness.negatives.successive`), from the law's
    weights and then its fillings; with replacement 1 - (1 - p)^n; of the n best 0 or 1.

    Args:
        sampler: law, draw and n.
        candidates: candidates of one refresh.
        visits: visits over which the noise of a law's first stage is averaged; the standard error of a
            probability p is at most sqrt(p (1 - p) / visits), and that of a mean falls with its rows too.
        seed: seed of that noise.
        round: round of that noise.

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
    """Return the share of visits in which each candidate is drawn; for any draw, with sampling error.

    Args:
        sampler: law, draw and n.
        candidates: candidates of one refresh.
        visits: draws of each row.
        seed: seed of the noise.
        round: round of the noise.

    Raises:
        UserError: a score is not finite, or a row has no candidate.
    """
    total = np.zeros(candidates.score.shape)
    for visit in range(visits):
        draws = sampler(candidates, Noise(seed, round, np.full(len(total), visit)))
        total += _marked(total.shape, draws.column)
    return Inclusion(total / visits, COUNTED, visits)


def closest_inclusion(sampler: Sampler, candidates: Candidates, *, visits: int = 16) -> Inclusion:
    """Return `inclusion`, or `counted_inclusion` if the draw has no closed form."""
    find = inclusion if sampler.draw.name in _BY_DRAW else counted_inclusion
    return find(sampler, candidates, visits=visits)


@dataclass(frozen=True)
class _Overheard(Noise):
    """Noise that records the stages a law asks for; a law that asks for none is deterministic."""

    stages: list[int] = field(default_factory=list)

    def of(self, candidates: Candidates, stage: int, copy: int = 0) -> Floats:
        self.stages.append(stage)
        return super().of(candidates, stage, copy)

    def of_row(self, candidates: Candidates, stage: int, copies: int) -> Floats:
        self.stages.append(stage)
        return super().of_row(candidates, stage, copies)


def _without_replacement(sampler: Sampler, candidates: Candidates, weights: Weights, noise: Noise) -> Floats:
    """Successive draws from the weights, then from each filling for the missing rest.

    A filling is used only when all earlier candidates are drawn, so it does not depend on chance.
    """
    chance = np.zeros(weights.log_weight.shape)
    missing = np.full(len(chance), sampler.negatives)
    for log_weight in (weights.log_weight, *weights.fills):
        left = np.where(chance > 0, -np.inf, log_weight)
        chance += successive_inclusion(left, missing)
        missing = np.maximum(missing - np.isfinite(left).sum(axis=1), 0)
    return chance


def _with_replacement(sampler: Sampler, candidates: Candidates, weights: Weights, noise: Noise) -> Floats:
    """Independent draws, by the first of weights and fillings with any weight."""
    log_weight = weights.log_weight
    for fill in weights.fills:
        log_weight = np.where(has_weight(log_weight)[:, None], log_weight, fill)
    refuse_empty(candidates, has_weight(log_weight))
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    share = weight / weight.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(sampler.negatives * np.log1p(-share)))


def _best(sampler: Sampler, candidates: Candidates, weights: Weights, noise: Noise) -> Floats:
    """The n best, which are deterministic."""
    return _marked(
        weights.log_weight.shape, sampler.draw(candidates, weights, noise, sampler.negatives).column
    )


def _marked(shape: tuple[int, ...], column: Integers) -> Floats:
    marked = np.zeros(shape)
    np.put_along_axis(marked, column, 1.0, axis=1)
    return marked


_BY_DRAW: dict[str, Callable[[Sampler, Candidates, Weights, Noise], Floats]] = {
    name_of(WithoutReplacement): _without_replacement,
    name_of(WithReplacement): _with_replacement,
    name_of(Best): _best,
}
