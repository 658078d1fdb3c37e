"""Counting what intervals cover, and how sure the count is."""

from __future__ import annotations

import statistics

import pandas as pd
import pytest

from harness.evaluation.calibration import clopper_pearson, compare_sides, coverage, covers

COLUMN = {"label": "MRR@10", "dataset": "d", "measure": "RR", "split": "test"}


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [
        (0, 20, (0.0, 1 - 0.025 ** (1 / 20))),
        (20, 20, (0.025 ** (1 / 20), 1.0)),
        (10, 20, (0.2719578, 0.7280422)),
        (19, 20, (0.7512672, 0.9987349)),
        (1, 10, (0.0025286, 0.4450161)),
    ],
)
def test_clopper_pearson_is_the_exact_interval(successes: int, trials: int, expected: tuple) -> None:
    assert clopper_pearson(successes, trials, 0.95) == pytest.approx(expected, abs=1e-6)


def test_an_interval_covers_its_ends() -> None:
    assert covers(-0.1, 0.2)
    assert covers(0.0, 0.2) and covers(-0.2, 0.0)
    assert not covers(0.001, 0.2) and not covers(-0.2, -0.001)


def test_coverage_counts_with_its_denominator_and_width() -> None:
    ends = [(-0.1, 0.1), (-0.3, 0.1), (0.01, 0.11), (-0.2, -0.1)]
    block = coverage([{"low": low, "high": high} for low, high in ends], 0.95)
    assert (block["covered"], block["intervals"], block["share"]) == (2, 4, 0.5)
    assert (block["low"], block["high"]) == clopper_pearson(2, 4, 0.95)
    assert block["mean_width"] == pytest.approx((0.2 + 0.4 + 0.1 + 0.1) / 4)
    assert block["sd"] == pytest.approx(statistics.stdev([0.0, -0.1, 0.06, -0.15]))


def scores(seeds: int) -> pd.DataFrame:
    values = {"A": [[0.5, 0.7, 0.9], [0.4, 0.4, 0.7]], "B": [[0.4, 0.5, 0.9], [0.5, 0.6, 0.7]]}
    lines = [
        (side, seed, "d", "test", "RR", f"q{q}", value)
        for side, table in values.items()
        for seed, row in enumerate(table[:seeds])
        for q, value in enumerate(row)
    ]
    return pd.DataFrame(lines, columns=["row", "seed", "dataset", "split", "measure", "query", "value"])


def test_sides_are_paired_by_seed_and_query_over_all_seeds_and_the_first_alone() -> None:
    block = compare_sides(scores(2), COLUMN, ("A", "B"), 0.95)
    assert block["value"] == pytest.approx((0.1 + 0.2 + 0 - 0.1 - 0.2 - 0) / 6)
    assert block["method"]["low"] <= block["checkpoints"]["low"] <= block["value"]
    assert block["first_seed"]["value"] == pytest.approx(0.1)
    alone = compare_sides(scores(1), COLUMN, ("A", "B"), 0.95)
    assert alone["method"] is None
    assert alone["checkpoints"] == alone["first_seed"]["checkpoints"] == block["first_seed"]["checkpoints"]
