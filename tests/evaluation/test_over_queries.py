"""Intervals over queries against textbook values, a bootstrap, and their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.evaluation.over_queries import mean, quantile, share


def test_one_value_a_query_is_students_interval():
    values = np.random.default_rng(0).normal(size=30)
    estimate = mean(values, np.ones(30), np.arange(30))
    low, high = stats.t.interval(0.95, 29, values.mean(), stats.sem(values))
    np.testing.assert_allclose(estimate, [values.mean(), low, high])


def test_rows_of_a_query_count_once():
    values = np.random.default_rng(0).normal(size=30)
    single = mean(values, np.ones(30), np.arange(30))
    twice = mean(np.repeat(values, 2), np.ones(60), np.repeat(np.arange(30), 2))
    np.testing.assert_allclose(single, twice)


def test_a_share_of_none_is_wilsons():
    estimate = share(np.zeros(50), np.ones(50), np.arange(50))
    z = stats.t.ppf(0.975, 49)
    assert estimate.value == 0
    assert estimate.low == 0
    assert estimate.high == pytest.approx(z**2 / (50 + z**2))


def test_a_ratio_agrees_with_the_bootstrap():
    rng = np.random.default_rng(1)
    count = rng.integers(1, 20, 200)
    hits = rng.binomial(count, rng.beta(2, 5, 200))
    estimate = share(hits, count, np.arange(200))
    again = rng.integers(0, 200, (4000, 200))
    ends = np.quantile(hits[again].sum(axis=1) / count[again].sum(axis=1), [0.025, 0.975])
    np.testing.assert_allclose([estimate.low, estimate.high], ends, atol=0.006)


def test_columns_are_separate_and_nothing_seen_is_no_number():
    hits, count = np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([[2.0, 0.0], [4.0, 0.0]])
    estimate = share(hits, count, np.arange(2))
    assert estimate.value[0] == 0.5
    assert np.isnan([of[1] for of in estimate]).all()


def test_a_quantile_lies_in_its_interval_which_covers():
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        values = rng.normal(size=(40, 1)) + rng.normal(size=(40, 5))
        estimate = quantile(values, np.ones(values.shape, bool), np.arange(40), 0.5)
        assert estimate.low <= estimate.value <= estimate.high
        covered += estimate.low <= 0 <= estimate.high
    assert covered / 200 == pytest.approx(0.95, abs=0.05)


@pytest.mark.parametrize("values", [[1.0, 1.0, 0.9], [0.0, 0.0, 0.1], [0.0, 1.0]])
def test_the_interval_of_a_mean_of_shares_stays_within_them(values: list[float]) -> None:
    query = np.arange(len(values))
    free, kept = (
        mean(values, np.ones(len(values)), query, of_shares=of_shares) for of_shares in (False, True)
    )
    assert free.low < 0 or free.high > 1
    assert 0 <= kept.low == max(free.low, 0) and kept.high == min(free.high, 1) <= 1
