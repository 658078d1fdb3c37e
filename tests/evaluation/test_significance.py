"""Intervals cover what they say, for known seed and query effects."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.errors import UserError
from harness.evaluation.significance import (
    Interval,
    checkpoint_interval,
    holm,
    method_interval,
    smallest_detectable_difference,
)

SIMULATIONS = 400
MARGIN = 3.3 * np.sqrt(0.95 * 0.05 / SIMULATIONS)  # 99.9 % Monte Carlo error of a 95 % coverage


def simulate(
    seeds: int, queries: int, seed_sd: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Differences of true mean 0.01, and the seed effects in them."""
    of_seed = rng.normal(0, seed_sd, (seeds, 1)) if seed_sd else np.zeros((seeds, 1))
    of_query, rest = rng.normal(0, 0.2, (1, queries)), rng.normal(0, 0.15, (seeds, queries))
    return 0.01 + of_seed + of_query + rest, of_seed


@pytest.mark.parametrize("seed_sd", [0.0, 0.02, 0.05])
def test_checkpoint_interval_covers_the_mean_of_these_checkpoints(seed_sd: float) -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(SIMULATIONS):
        differences, of_seed = simulate(3, 200, seed_sd, rng)
        interval = checkpoint_interval(differences, 0.95)
        hits += interval.low <= 0.01 + of_seed.mean() <= interval.high
    assert abs(hits / SIMULATIONS - 0.95) < MARGIN


@pytest.mark.parametrize(("seeds", "seed_sd"), [(3, 0.0), (3, 0.02), (5, 0.01), (5, 0.05)])
def test_method_interval_covers_the_mean_of_the_method(seeds: int, seed_sd: float) -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(SIMULATIONS):
        interval = method_interval(simulate(seeds, 200, seed_sd, rng)[0], 0.95)
        assert interval is not None
        hits += interval.low <= 0.01 <= interval.high
    assert abs(hits / SIMULATIONS - 0.95) < MARGIN


def test_checkpoint_interval_does_not_cover_the_method() -> None:
    rng = np.random.default_rng(3)
    tables = [simulate(3, 200, 0.05, rng)[0] for _ in range(SIMULATIONS)]
    hits = sum(i.low <= 0.01 <= i.high for i in (checkpoint_interval(t, 0.95) for t in tables))
    assert hits / SIMULATIONS < 0.8


def test_checkpoint_interval_is_the_paired_t_interval() -> None:
    differences = np.random.default_rng(4).normal(0.02, 0.3, (3, 50))
    interval = checkpoint_interval(differences, 0.9)
    reference = stats.ttest_1samp(differences.mean(axis=0), 0.0)
    assert (interval.low, interval.high) == pytest.approx(tuple(reference.confidence_interval(0.9)))
    assert interval.p_value == pytest.approx(reference.pvalue)
    assert interval.df == 49


def test_method_variance_is_the_two_way_combination() -> None:
    # Seeds differ by 0 and 1, queries by 0, 1 and 2, and one cell departs: mean squares by hand.
    table = np.array([[0.0, 1.0, 2.0], [1.0, 2.0, 6.0]])
    interval = method_interval(table, 0.95)
    assert interval is not None
    seed, query, residual = 6.0, 6.5, 1.5
    assert interval.standard_error == pytest.approx(np.sqrt((seed + query - residual) / 6))
    assert interval.df == pytest.approx(11.0**2 / (seed**2 / 1 + query**2 / 2 + residual**2 / 2))


def test_negative_seed_variance_counts_as_zero() -> None:
    rng = np.random.default_rng(5)
    rest = rng.normal(0, 1, (4, 40))
    table = rest - rest.mean(axis=1, keepdims=True)  # every seed has the same mean: MS_seed is 0
    method, checkpoints = method_interval(table, 0.95), checkpoint_interval(table, 0.95)
    assert method is not None
    assert method.standard_error == pytest.approx(checkpoints.standard_error)


def test_one_seed_says_nothing_about_the_method() -> None:
    table = np.random.default_rng(6).normal(size=(1, 30))
    assert method_interval(table, 0.95) is None
    assert checkpoint_interval(table, 0.95).half_width > 0


@pytest.mark.parametrize(("value", "p_value"), [(0.0, 1.0), (0.1, 0.0)])
def test_differences_that_do_not_vary(value: float, p_value: float) -> None:
    table = np.full((3, 7), value)
    for interval in (checkpoint_interval(table, 0.95), method_interval(table, 0.95)):
        assert interval is not None
        assert interval.low == interval.high == pytest.approx(value)
        assert interval.p_value == p_value
        assert smallest_detectable_difference(interval) == 0.0


@pytest.mark.parametrize("df", [2.0, 30.0, 2000.0])
def test_smallest_detectable_difference_has_its_power(df: float) -> None:
    interval = Interval(mean=0.0, standard_error=0.01, df=df, level=0.95)
    shift = smallest_detectable_difference(interval) / 0.01
    rng = np.random.default_rng(7)
    t = (rng.normal(size=200_000) + shift) / np.sqrt(rng.chisquare(df, 200_000) / df)
    assert np.mean(t > stats.t.ppf(0.975, df)) == pytest.approx(0.8, abs=0.005)


def test_smallest_detectable_difference_of_many_queries_is_about_2_8_standard_errors() -> None:
    interval = Interval(mean=0.3, standard_error=1.0, df=1e6, level=0.95)
    assert smallest_detectable_difference(interval) == pytest.approx(1.95996 + 0.84162, abs=1e-3)


def test_holm() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("table", "level", "word"),
    [
        ([0.1, 0.2], 0.95, "shape"),
        ([[0.1]], 0.95, "two queries"),
        ([[0.1, np.nan]], 0.95, "finite"),
        ([[1, 2]], 95, "level"),
    ],
)
def test_bad_input_is_one_clear_line(table: list[float], level: float, word: str) -> None:
    with pytest.raises(UserError, match=word):
        checkpoint_interval(table, level)
