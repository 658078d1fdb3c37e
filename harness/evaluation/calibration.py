"""A row against itself: how often the intervals of a difference cover 0 where the true difference is 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from harness.evaluation.comparison import CellBlock, difference_block
from harness.evaluation.score_tables import clusters_in, paired_difference, score_table


def compare_sides(
    per_query: pd.DataFrame, column: Mapping[str, Any], sides: tuple[str, str], level: float
) -> CellBlock:
    """Return the difference between a pair's two sides, over all seeds and over the first seed.

    Args:
        per_query: scores with columns row, seed, split, measure, query and value.
        column: a column of `cells.json`, with its measure, split and dataset.
        sides: row names of the two sides; the second is subtracted from the first.
        level: confidence of the intervals, in (0, 1).

    Returns:
        ``value``, ``checkpoints`` and ``method`` (None with one seed), paired by seed and query, and
        ``first_seed`` with ``value`` and ``checkpoints`` of the first seed that both sides have.
    """
    tables = [score_table(per_query, side, column) for side in sides]
    paired = paired_difference(tables[0], tables[1], *sides)
    if paired is None:
        raise ValueError(f"'{sides[0]}' and '{sides[1]}' have no seed in common")
    clusters = clusters_in(per_query, tables[0], column)
    first = difference_block(paired[:1], level, clusters)
    return {
        **difference_block(paired, level, clusters),
        "first_seed": {"value": first["value"], "checkpoints": first["checkpoints"]},
    }


def coverage(intervals: Sequence[Mapping[str, Any]], level: float) -> CellBlock:
    """Return the share of intervals that cover 0, with its own interval.

    Args:
        intervals: ``{"low", "high"}`` each, statistically independent.
        level: confidence of the interval of the coverage, in (0, 1).

    Returns:
        ``covered`` of ``intervals``, their ``share``, the Clopper-Pearson interval of the coverage (``low``,
        ``high``, ``level``), ``mean_width`` of the intervals, and ``sd`` of their midpoints, which are the
        differences: an interval at 95 % should be about 3.9 times as wide.
    """
    ends = np.array([[interval["low"], interval["high"]] for interval in intervals])
    covered = sum(covers(interval["low"], interval["high"]) for interval in intervals)
    low, high = clopper_pearson(covered, len(intervals), level)
    return {
        "covered": covered,
        "intervals": len(intervals),
        "share": covered / len(intervals),
        "low": low,
        "high": high,
        "level": level,
        "mean_width": float(np.mean(ends[:, 1] - ends[:, 0])),
        "sd": float(np.std(ends.mean(axis=1), ddof=1)) if len(ends) > 1 else None,
    }


def covers(low: float, high: float) -> bool:
    """Return whether a closed interval covers 0."""
    return low <= 0 <= high


def clopper_pearson(successes: int, trials: int, level: float) -> tuple[float, float]:
    """Return the exact interval of a binomial probability (Clopper and Pearson, Biometrika 1934).

    At its ends, as many successes or more, and as many or fewer, have probability (1 - level) / 2; both are
    quantiles of beta distributions. The coverage is at least `level`.

    Args:
        successes: number of successes.
        trials: number of independent trials.
        level: confidence in (0, 1).
    """
    interval = stats.binomtest(successes, trials).proportion_ci(confidence_level=level, method="exact")
    return float(interval.low), float(interval.high)
