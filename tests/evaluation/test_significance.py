"""Intervals cover what they say, for known seed and query effects."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.errors import UserError
from harness.evaluation.calibration import clopper_pearson
from harness.evaluation.interval import Interval, VarianceComponent, smallest_detectable_difference
from harness.evaluation.significance import by_cluster, checkpoint_interval, holm, method_interval
from tests.benchmarks.interval_coverage import (
    CLUSTERS,
    MEAN,
    PAGE,
    REGIMES,
    REST,
    Covered,
    Regime,
    clustered_table,
    coverage_table,
    measure,
    measure_clustered,
    simulate,
    simulate_clustered,
)


@pytest.fixture(scope="module")
def covered() -> dict[Regime, Covered]:
    return {regime: measure(regime) for regime in REGIMES}


def coverage_within(count: int, simulations: int) -> tuple[float, float]:
    """The coverages that the count leaves possible, at 99.9 %."""
    return clopper_pearson(count, simulations, 0.999)


@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_checkpoint_interval_covers_the_mean_of_these_checkpoints(
    seeds: int, covered: dict[Regime, Covered]
) -> None:
    coverages = [coverage for regime, coverage in covered.items() if regime.seeds == seeds]
    assert len(coverages) >= 2
    for coverage in coverages:
        assert coverage.simulations == 2000
        low, high = coverage_within(coverage.checkpoints, coverage.simulations)
        assert low <= 0.95 <= high


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_method_interval_covers_the_mean_of_the_method_at_least(
    seeds: int, covered: dict[Regime, Covered]
) -> None:
    coverages = {regime: coverage for regime, coverage in covered.items() if regime.seeds == seeds}
    assert len(coverages) >= 3
    for regime, coverage in coverages.items():
        assert coverage.method is not None
        low, high = coverage_within(coverage.method, coverage.simulations)
        assert high >= 0.95, regime
        if regime.of_seeds == 100:  # where seeds make nearly all of the variance, it is the plain t interval
            assert low <= 0.95, regime


def test_one_quantile_for_the_sum_would_not_cover(covered: dict[Regime, Covered]) -> None:
    """The reason why the interval is not the usual one."""
    for regime in (Regime(2, 10, 1), Regime(3, 10, 4)):
        coverage = covered[regime]
        assert coverage.satterthwaite is not None
        assert coverage_within(coverage.satterthwaite, coverage.simulations)[1] < 0.95


def test_the_docs_show_what_was_measured(covered: dict[Regime, Covered]) -> None:
    begin, end = (f"<!-- coverage of simulated tables: {word} -->\n" for word in ("begin", "end"))
    shown = PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0]
    assert shown.strip() == coverage_table(covered)


def test_the_readme_of_the_room_gives_the_range_of_the_usual_interval(covered: dict[Regime, Covered]) -> None:
    shares = [100 * c.satterthwaite / c.simulations for c in covered.values() if c.satterthwaite is not None]
    text = " ".join((PAGE.parents[1] / "harness/evaluation/README.md").read_text(encoding="utf-8").split())
    assert f"Satterthwaite's covers {min(shares):.0f} to {max(shares):.0f} % by the regime" in text


def test_checkpoint_interval_does_not_cover_the_method() -> None:
    tables, _ = simulate(Regime(3, 10, 4), 400)
    hits = sum(i.low <= MEAN <= i.high for i in (checkpoint_interval(table, 0.95) for table in tables))
    assert hits / 400 < 0.85


def test_checkpoint_interval_is_the_paired_t_interval() -> None:
    differences = np.random.default_rng(4).normal(0.02, 0.3, (3, 50))
    interval = checkpoint_interval(differences, 0.9)
    reference = stats.ttest_1samp(differences.mean(axis=0), 0.0)
    assert (interval.low, interval.high) == pytest.approx(tuple(reference.confidence_interval(0.9)))
    assert interval.p_value == pytest.approx(reference.pvalue)
    assert interval.df == 49


def test_method_interval_gives_each_part_of_the_variance_its_own_quantile() -> None:
    # Seeds differ by 0 and 1, queries by 0, 1 and 2, and one cell departs: mean squares by hand.
    table = np.array([[0.0, 1.0, 2.0], [1.0, 2.0, 6.0]])
    interval = method_interval(table, 0.95)
    assert interval is not None
    of_seeds, of_queries = 6.0 / 6, (6.5 - 1.5) / 6
    t_one, t_two = stats.t.ppf(0.975, 1), stats.t.ppf(0.975, 2)
    assert interval.standard_error == pytest.approx(np.sqrt(of_seeds + of_queries))
    assert interval.half_width == pytest.approx(np.sqrt(t_one**2 * of_seeds + t_two**2 * of_queries))
    assert interval.df == pytest.approx((of_seeds + of_queries) ** 2 / (of_seeds**2 / 1 + of_queries**2 / 2))


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.2, 40.0])
@pytest.mark.parametrize("of_seeds", [1, 100])
def test_the_p_value_is_the_level_at_which_the_interval_ends_at_0(shift: float, of_seeds: float) -> None:
    [table], _ = simulate(Regime(3, of_seeds, 4), 1)
    table += shift - table.mean()
    interval = method_interval(table, 0.95)
    assert interval is not None
    if shift == 0.0:
        assert interval.p_value == pytest.approx(1)
    else:
        ending = method_interval(table, 1 - interval.p_value)
        assert ending is not None
        assert ending.low == pytest.approx(0, abs=1e-6 * shift)


def test_a_p_value_beyond_all_tails_is_0_or_nearly() -> None:
    interval = Interval(1.0, (VarianceComponent(1e-30, 500), VarianceComponent(1e-40, 700)), 0.95)
    assert 0 <= interval.p_value < 1e-290


def test_method_interval_is_never_narrower_than_that_of_these_checkpoints() -> None:
    rng = np.random.default_rng(5)
    rest = rng.normal(0, 1, (4, 40))
    table = rest - rest.mean(axis=1, keepdims=True)  # every seed has the same mean: MS_seed is 0
    method, checkpoints = method_interval(table, 0.95), checkpoint_interval(table, 0.95)
    assert method is not None
    assert (method.low, method.high) == pytest.approx((checkpoints.low, checkpoints.high))
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
@pytest.mark.parametrize("comparisons", [1, 3])
def test_smallest_detectable_difference_has_its_power(df: float, comparisons: int) -> None:
    interval = Interval(mean=0.0, parts=(VarianceComponent(0.01**2, df),), level=0.95)
    shift = smallest_detectable_difference(interval, comparisons=comparisons) / 0.01
    rng = np.random.default_rng(7)
    t = (rng.normal(size=200_000) + shift) / np.sqrt(rng.chisquare(df, 200_000) / df)
    assert np.mean(t > stats.t.ppf(1 - 0.025 / comparisons, df)) == pytest.approx(0.8, abs=0.005)


def test_smallest_detectable_difference_has_its_power_where_the_variance_has_parts() -> None:
    seeds, queries = 3, 60
    tables, _ = simulate(Regime(seeds, 3, 4), 1500)
    true = REST**2 / (seeds * queries)  # MS_rest / (S Q)
    expected = Interval(
        0.0, (VarianceComponent(3 * true, seeds - 1), VarianceComponent(3 * true, queries - 1)), 0.95
    )
    shift = smallest_detectable_difference(expected)
    intervals = [method_interval(table - MEAN + shift, 0.95) for table in tables]
    assert np.mean([i is not None and i.low > 0 for i in intervals]) == pytest.approx(0.8, abs=0.035)


def test_smallest_detectable_difference_of_many_queries_is_about_2_8_standard_errors() -> None:
    interval = Interval(mean=0.3, parts=(VarianceComponent(1.0, 1e6),), level=0.95)
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


@pytest.mark.parametrize("regime", [Regime(1, 1, 1), Regime(3, 3, 4)])
def test_by_cluster_the_intervals_cover_where_those_by_query_do_not(regime: Regime) -> None:
    covered = measure_clustered(regime)
    assert coverage_within(covered.clustered[0], covered.simulations)[1] >= 0.95
    assert (
        covered.clustered[1] is None or coverage_within(covered.clustered[1], covered.simulations)[1] >= 0.95
    )
    assert 0.7 < covered.independent[0] / covered.simulations < 0.8
    [line] = clustered_table({regime: covered}).splitlines()[2:]
    assert " ".join(line.split()) in [" ".join(of.split()) for of in PAGE.read_text("utf-8").splitlines()]


def test_by_cluster_the_interval_covers_where_five_clusters_are_large() -> None:
    sizes = np.array([20] * 5 + [1] * 55)
    clusters, rng = np.repeat(np.arange(60), sizes), np.random.default_rng(8)
    hits = {"query": 0, "cluster": 0}
    for _ in range(400):
        table = rng.normal(size=(1, 60))[:, clusters] + rng.normal(size=(1, len(clusters)))
        for name, of in (("query", None), ("cluster", clusters)):
            interval = checkpoint_interval(table, 0.95, of)
            hits[name] += interval.low <= 0 <= interval.high
    assert hits["query"] < 0.6 * 400
    assert coverage_within(hits["cluster"], 400)[1] >= 0.95


@pytest.mark.parametrize("seeds", [1, 3])
def test_clusters_of_one_query_change_no_digit(seeds: int) -> None:
    table = np.random.default_rng(9).normal(0.1, 0.4, (seeds, 41))
    alone = np.random.default_rng(10).permutation(41)
    assert checkpoint_interval(table, 0.95, alone) == checkpoint_interval(table, 0.95)
    assert method_interval(table, 0.95, alone) == method_interval(table, 0.95)


def test_a_table_by_cluster_keeps_the_means_of_seeds_and_counts_clusters_of_one_size() -> None:
    [table], _ = simulate_clustered(Regime(3, 3, 4), 1)
    over, _ = by_cluster(table, CLUSTERS)
    assert over.mean(axis=1) == pytest.approx(table.mean(axis=1))
    of_one_size = by_cluster(table[:, :232], np.arange(232) // 4)
    assert of_one_size.df == pytest.approx(57)
    assert of_one_size.table == pytest.approx(table[:, :232].reshape(3, 58, 4).mean(axis=2))


def test_queries_asked_twice_are_known_no_better() -> None:
    table = np.random.default_rng(11).normal(size=(3, 30))
    twice, clusters = np.repeat(table, 2, axis=1), np.repeat(np.arange(30), 2)
    once, asked_twice = method_interval(table, 0.95), method_interval(twice, 0.95, clusters)
    assert once is not None
    assert asked_twice is not None
    assert (asked_twice.low, asked_twice.high) == pytest.approx((once.low, once.high))
    assert asked_twice.p_value == pytest.approx(once.p_value)
    assert asked_twice.df == pytest.approx(once.df)


def test_one_cluster_of_all_queries_is_refused_in_one_line() -> None:
    with pytest.raises(UserError, match="all 5 queries are of one cluster"):
        checkpoint_interval(np.ones((2, 5)), 0.95, np.zeros(5, dtype=np.int64))
