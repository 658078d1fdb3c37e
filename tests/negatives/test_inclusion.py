"""Inclusion probabilities against enumeration, and against 100,000 draws of every law."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.errors import UserError
from harness.negatives.inclusion import (
    COUNTED,
    EXACT,
    STAGED,
    closest_inclusion,
    counted_inclusion,
    inclusion,
)
from harness.negatives.registry import DRAWS, make_draw, make_law
from harness.negatives.sampler import Sampler
from harness.negatives.successive import successive_inclusion

from ..negatives.conftest import fresh_noise, make_candidates
from ..negatives.test_laws import FORMULAS

TIMES = [5_000, pytest.param(100_000, marks=pytest.mark.slow)]
"""Draws of each of four rows."""
K, N = 10, 4
COMPARED = 4 * K * (len(FORMULAS) + 10)
"""Probabilities looked at in this file, for Bonferroni."""


def enumerated(weight: np.ndarray, n: int) -> np.ndarray:
    """Every order of n successive draws, with its chance."""
    chance = np.zeros(len(weight))
    for order in itertools.permutations(range(len(weight)), n):
        left = weight.sum() - np.concatenate([[0.0], np.cumsum(weight[list(order)])[:-1]])
        chance[list(order)] += np.prod(weight[list(order)] / left)
    return chance


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0])
def test_successive_draws_agree_with_enumeration(n, spread):
    log_weight = np.random.default_rng(3).normal(size=7) * spread
    chance = successive_inclusion(log_weight[None], np.array([n]))[0]
    np.testing.assert_allclose(chance, enumerated(np.exp(log_weight), n), rtol=1e-10)


@pytest.mark.parametrize("spread", [0.0, 1.0, 20.0, 1e4])
@pytest.mark.parametrize("n", [1, 15, 150])
def test_chances_sum_to_n_and_grow_with_the_weight(n, spread):
    log_weight = np.sort(np.random.default_rng(0).normal(size=(3, 200)) * spread, axis=1)
    chance = successive_inclusion(log_weight, np.full(3, n))
    np.testing.assert_allclose(chance.sum(axis=1), n, rtol=1e-10)
    assert (np.diff(chance, axis=1) >= -1e-10).all()
    assert (chance >= 0).all()


def test_rows_of_different_numbers_do_not_disturb_each_other():
    log_weight = np.random.default_rng(1).normal(size=(5, 12))
    take = np.array([0, 1, 3, 3, 12])
    together = successive_inclusion(log_weight, take)
    row_by_row = [successive_inclusion(log_weight[[row]], take[[row]])[0] for row in range(5)]
    np.testing.assert_allclose(together, row_by_row, atol=1e-12)
    assert (together[0] == 0).all()
    assert (together[4] == 1).all()


def rows():
    """A row as retrievers make them, one with ties, one with gaps of 10,000, one with three candidates."""
    rng = np.random.default_rng(11)
    score = np.sort(rng.normal(size=(4, K)), axis=1)[:, ::-1].copy()
    score[1] = np.repeat([1.0, 0.5, 0.0, -0.5, -1.0], 2)
    score[2] = np.where(np.arange(K) < 2, score[2], score[2] - 1e4 * np.arange(K))
    similarity = score + rng.normal(size=(4, K))
    similarity[1] = score[1] + np.tile([0.5, -0.5], 5)
    valid = np.ones((4, K), bool)
    valid[3, 3:] = False
    origin = np.tile(np.arange(K) % 2, (4, 1))
    return make_candidates(score, score[:, 3] + 0.1, similarity, valid=valid, origin=origin)


def counts(sampler, times):
    """How often each candidate of each row was drawn, [4, K]."""
    row = np.repeat(np.arange(4), times)
    many = replace(rows().rows(row), query=np.arange(len(row)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # short rows are tiled
        column = sampler(many, fresh_noise(len(row))).column
    drawn = np.zeros((len(row), K), bool)
    np.put_along_axis(drawn, column, True, axis=1)
    return drawn.reshape(4, times, K).sum(axis=1)


def assert_agrees(sampler, times):
    """Exact binomial tails of the counts, corrected for all that are compared."""
    included = inclusion(sampler, rows())
    count, chance = counts(sampler, times), included.chance
    assert included.how == EXACT
    certain = (chance < 1e-12) | (chance > 1 - 1e-12)
    np.testing.assert_array_equal(count[certain], np.round(times * chance[certain]))
    tails = np.minimum(stats.binom.cdf(count, times, chance), stats.binom.sf(count - 1, times, chance))
    assert (2 * tails[~certain]).min(initial=1.0) > 1e-3 / COMPARED


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("name", [name for name in FORMULAS if name != "trisampler"])
def test_agrees_with_draws_of_every_law(name, times):
    law = make_law(name.split()[0], FORMULAS[name][0])
    assert_agrees(Sampler(law, make_draw("without-replacement"), N), times)


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("name", ["with-replacement", "best"])
@pytest.mark.filterwarnings("ignore:.*tiled")
def test_agrees_with_other_draws(name, times):
    assert_agrees(Sampler(make_law("simans"), make_draw(name), N), times)


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("parameters", [{}, {"first_draw": "with-replacement", "fill": "uniform"}])
def test_agrees_with_draws_of_two_stages(parameters, times):
    """Counts and the mean over the first stage's noise are both estimates: z, corrected likewise."""
    sampler = Sampler(make_law("trisampler", parameters), make_draw("without-replacement"), N)
    seen = 200
    stages = inclusion(
        sampler,
        replace(rows().rows(np.repeat(np.arange(4), seen)), query=np.arange(4 * seen)),
        visits=4,
        seed=3,
    )
    assert stages.how == STAGED
    each = stages.chance.reshape(4, seen, K)
    chance, variance = each.mean(axis=1), each.var(axis=1) / seen
    share = counts(sampler, times) / times
    error = np.sqrt(variance + chance * (1 - chance) / times) + 1e-9
    assert (np.abs(share - chance) / error).max() < stats.norm.isf(1e-3 / COMPARED)


def test_a_second_stage_without_chance_is_one_half_of_the_first():
    """All alike: a candidate is among the n as often as any other, whatever the stages."""
    row = make_candidates(np.zeros((400, K)))
    sampler = Sampler(make_law("trisampler"), make_draw("without-replacement"), N)
    included = inclusion(sampler, row, visits=8)
    np.testing.assert_allclose(included.chance.sum(axis=1), N)
    np.testing.assert_allclose(included.chance.mean(axis=0), N / K, atol=0.05)


def test_a_union_has_no_closed_form_but_can_be_counted():
    sampler = Sampler(make_law("simans"), make_draw("released-union"), N)
    with pytest.raises(UserError, match="no closed form"):
        inclusion(sampler, rows())
    included = closest_inclusion(sampler, rows().rows(np.array([0, 1, 2])), visits=5)
    assert included.how == COUNTED
    np.testing.assert_allclose(included.chance.sum(axis=1), N)


def test_every_draw_is_analytic_or_refused():
    candidates = rows().rows(np.array([0]))
    samplers = [Sampler(make_law("score"), make_draw(name), N) for name in DRAWS]
    how = {sampler.draw.name: closest_inclusion(sampler, candidates).how for sampler in samplers}
    assert how.pop("released-union") == COUNTED
    assert set(how.values()) == {EXACT}


def test_counted_shares_tend_to_the_analytic_ones():
    sampler = Sampler(make_law("score"), make_draw("without-replacement"), N)
    candidates = rows().rows(np.array([0]))
    counted = counted_inclusion(sampler, candidates, visits=2000).chance
    np.testing.assert_allclose(counted, inclusion(sampler, candidates).chance, atol=0.05)


def test_a_row_without_candidates_is_refused():
    sampler = Sampler(make_law("score"), make_draw("without-replacement"), N)
    with pytest.raises(UserError, match="no candidate"):
        inclusion(sampler, make_candidates(np.zeros((1, 3)), valid=np.zeros((1, 3), bool)))
