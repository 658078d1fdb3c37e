"""Power to find a difference, and the range of the smallest detectable one, in simulations of known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.evaluation.interval import (
    Interval,
    VarianceComponent,
    detectable_range,
    power_to_see,
    smallest_detectable_difference,
)
from harness.evaluation.significance import checkpoint_interval, method_interval

DRAWS = 1000


def known(df: float, error: float = 0.01) -> Interval:
    """An interval whose standard error is the true one."""
    return Interval(0.0, (VarianceComponent(error**2, df),), 0.95)


@pytest.mark.parametrize(("queries", "shift"), [(5, 1.0), (10, 2.5), (60, 2.0)])
def test_power_is_how_often_a_true_difference_is_found(queries: int, shift: float) -> None:
    generator = np.random.default_rng(queries)
    tables = generator.normal(shift, math.sqrt(queries), (DRAWS, 1, queries))  # standard error 1
    share = np.mean([checkpoint_interval(table, 0.95).low > 0 for table in tables])
    assert share == pytest.approx(power_to_see(known(queries - 1, 1.0), shift), abs=0.05)


@pytest.mark.parametrize("df", [2, 9, 499])
def test_power_at_the_smallest_detectable_difference_is_what_it_is_defined_by(df: int) -> None:
    smallest = smallest_detectable_difference(known(df))
    assert power_to_see(known(df), smallest) == pytest.approx(0.8, abs=1e-6)
    assert power_to_see(known(df), -smallest) == power_to_see(known(df), smallest)
    assert power_to_see(known(df), 0.0) == pytest.approx(0.025, abs=1e-6)


def test_what_never_varies_is_found_if_it_is_there() -> None:
    nothing = known(9, 0.0)
    assert (power_to_see(nothing, 0.01), power_to_see(nothing, 0.0)) == (1.0, 0.0)
    assert detectable_range(nothing) == (0.0, 0.0)


@pytest.mark.parametrize("queries", [3, 10, 60])
def test_the_range_of_the_detectable_difference_covers_it(queries: int) -> None:
    generator = np.random.default_rng(queries)
    truth = smallest_detectable_difference(known(queries - 1, 1.0))
    tables = generator.normal(0, math.sqrt(queries), (200, 1, queries))
    ranges = [detectable_range(checkpoint_interval(table, 0.95)) for table in tables]
    assert np.mean([low <= truth <= high for low, high in ranges]) == pytest.approx(0.95, abs=0.05)


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_range_covers_the_standard_error_of_the_method(seeds: int) -> None:
    """Seeds and queries both matter; the standard error is the range over its multiple."""
    generator, queries = np.random.default_rng(seeds), 40
    truth = math.sqrt(0.1**2 / seeds + 1 / queries + 1 / (seeds * queries))
    hits = 0
    for _ in range(200):
        of_seed, of_query = generator.normal(0, 0.1, (seeds, 1)), generator.normal(0, 1, queries)
        interval = method_interval(of_seed + of_query + generator.normal(0, 1, (seeds, queries)), 0.95)
        assert interval is not None
        multiple = smallest_detectable_difference(interval) / interval.standard_error
        low, high = detectable_range(interval)
        hits += low <= multiple * truth <= high
    assert hits / 200 >= 0.9
