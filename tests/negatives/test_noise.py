from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from harness.negatives.noise import Noise, uniform
from harness.negatives.registry import LAWS, make_draw, make_law
from harness.negatives.sampler import Sampler

from .conftest import fresh_noise, make_candidates


def test_noise_is_uniform_and_strictly_inside():
    numbers = uniform(3, 0, np.arange(400)[:, None], 0, 0, 5, np.arange(500)[None, :])
    assert numbers.min() > 0 and numbers.max() < 1
    assert stats.kstest(numbers.ravel(), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("place", range(7))
def test_every_counter_changes_the_noise(place):
    counters = [1, 2, 3, 4, 5, 6, 7]
    changed = counters.copy()
    changed[place] += 1
    assert uniform(*counters) != uniform(*changed)


def test_neighbouring_counters_are_uncorrelated():
    numbers = uniform(1, 0, 0, 0, 0, np.arange(20_001), 9)
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 0.03


def random_candidates(rows: int = 40, k: int = 30):
    rng = np.random.default_rng(5)
    return make_candidates(rng.normal(size=(rows, k)), rng.normal(size=rows), rng.normal(size=(rows, k)) + 1)


@pytest.mark.parametrize("name", LAWS)
def test_draws_do_not_depend_on_batches_or_order_of_candidates(name):
    sampler = Sampler(make_law(name, {}), make_draw("without-replacement"), 6)
    candidates = random_candidates()
    whole = sampler(candidates, fresh_noise(40)).document
    order = np.random.default_rng(0).permutation(40)
    parts = [sampler(candidates.rows(part), fresh_noise(len(part))).document for part in np.split(order, 4)]
    assert np.array_equal(whole[order], np.concatenate(parts))
    shuffle = np.random.default_rng(1).permutation(30)
    columns = {"document", "score", "positive_similarity", "valid", "document_norm"}
    shuffled = type(candidates)(
        **{k: v[:, shuffle] if k in columns else v for k, v in candidates.__dict__.items()}
    )
    assert np.array_equal(whole, sampler(shuffled, fresh_noise(40)).document)


def test_another_visit_round_or_seed_draws_anew():
    sampler = Sampler(make_law("uniform", {}), make_draw("without-replacement"), 6)
    candidates = random_candidates()
    base = sampler(candidates, fresh_noise(40)).document
    for other in (
        Noise(7, 0, np.ones(40, int)),
        Noise(7, 1, np.zeros(40, int)),
        Noise(8, 0, np.zeros(40, int)),
    ):
        assert np.mean(sampler(candidates, other).document == base) < 0.3


@pytest.mark.parametrize("law", ["uniform", "score"])
@pytest.mark.parametrize("draw", ["without-replacement", "with-replacement"])
def test_the_positives_of_a_query_draw_as_independently_as_other_queries_do(law, draw):
    """43 positives of a query, 15 negatives each: pairs that shared their noise would draw one set alone."""
    positives, k, trials = 43, 200, 40
    score = np.tile(np.random.default_rng(0).normal(size=k), (positives, 1))
    sampler = Sampler(make_law(law, {}), make_draw(draw), 15)
    own, others = make_candidates(score, query=np.zeros(positives, int)), make_candidates(score)
    own = dataclasses.replace(own, positive=10_000 + np.arange(positives))

    def distinct(candidates):
        draws = (sampler(candidates, fresh_noise(positives, seed)).document for seed in range(trials))
        return np.array([len(np.unique(documents)) for documents in draws])

    same_query, independent = distinct(own), distinct(others)
    assert stats.ttest_ind(same_query, independent).pvalue > 1e-3
    assert same_query.mean() > 60
