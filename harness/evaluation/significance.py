"""Inference on the difference between two rows: for these checkpoints, and for the method.

The input is always `differences` [S, Q]: a row minus the baseline, paired by seed s and query q. The model
has two crossed random effects and one observation for each cell:

    d[s, q] = mean + seed[s] + query[q] + rest[s, q]

It answers two questions. *These checkpoints*: would these trained models differ on other queries? *The
method*: would models trained again with other seeds differ on other queries?

Queries that were not drawn independently of each other, such as several questions of a passage, are taken
together as one cluster; what follows is then over clusters in place of queries (`by_cluster`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.errors import UserError
from harness.evaluation.interval import Interval, VarianceComponent

FloatArray = npt.NDArray[np.float64]
Clusters = npt.NDArray[np.int64]
"""Number of the cluster of each query, [Q]."""


@dataclass(frozen=True)
class MeanSquares:
    """Mean squares of the two-way layout with one observation for each cell."""

    seed: float
    query: float
    residual: float


class ByCluster(NamedTuple):
    """A table over clusters.

    Attributes:
        table: [S, G], whose means over a row and over all are those over queries.
        df: degrees of freedom of the variance over clusters.
    """

    table: FloatArray
    df: float


def by_cluster(table: FloatArray, clusters: Clusters | None) -> ByCluster:
    """Return values [S, Q] over clusters of queries; over queries where each is a cluster by itself.

    A mean over queries is a ratio of totals over clusters, its variance linearised (Cochran 1977, section
    6.4): what a cluster adds is its total less that of as many queries with the mean of the seed. Clusters
    that are larger than others vary more and are fewer than they seem. Variance and degrees of freedom are
    those of clusters whose queries share all of their variance, V ~ n^2 for n queries: the sum of squares is
    divided by its expectation, and sum(n^2)^2 / sum(n^4) clusters of one size would be known as well
    (Satterthwaite). With G clusters of one size both are what they are for G observations.

    Raises:
        UserError: all queries are of one cluster.
    """
    queries = table.shape[1]
    if clusters is None:
        return ByCluster(table, queries - 1)
    _, place, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    count = len(sizes)
    if count == queries:
        return ByCluster(table, queries - 1)
    if count == 1:
        fix = "leave `clusters` out of the dataset, or add queries"
        raise UserError(f"all {queries} queries are of one cluster, which has no interval", fix=fix)
    means, n = table.mean(axis=1, keepdims=True), sizes.astype(np.float64)
    order, begin = np.argsort(place, kind="stable"), np.concatenate([[0], np.cumsum(sizes)[:-1]])
    totals = np.add.reduceat((table - means)[:, order], begin, axis=1)
    squares, size = np.square(n).sum(), n.sum()
    seen = 1 - 2 * np.power(n, 3).sum() / (size * squares) + squares / size**2
    widened = count / size * np.sqrt((count - 1) / (count * seen))
    like = squares**2 / np.power(n, 4).sum()
    return ByCluster(means + widened * totals, max(float(like) - 1, 1.0))


def checkpoint_interval(
    differences: npt.ArrayLike, level: float, clusters: Clusters | None = None
) -> Interval:
    """Return the interval for these checkpoints: over queries, for the mean over seeds.

    The paired t interval of the query means m[q] = mean over s of d[s, q]: standard error sd(m) / sqrt(Q),
    Q - 1 degrees of freedom (Student 1908; for retrieval, Smucker, Allan and Carterette, CIKM 2007).

    Args:
        differences: [S, Q] a row minus the baseline, fractions.
        level: confidence in (0, 1).
        clusters: cluster of each query, [Q]; by default each query is one.

    Returns:
        The interval; it does not generalise to other seeds.

    Raises:
        UserError: fewer than two queries, a difference that is not finite, or a level outside (0, 1).
    """
    values = _table(differences, level)
    table, df = by_cluster(values, clusters)
    variance = _dust_free(table.mean(axis=0)) ** 2 / table.shape[1]
    return Interval(float(values.mean()), (VarianceComponent(variance, df),), level)


def method_interval(
    differences: npt.ArrayLike, level: float, clusters: Clusters | None = None
) -> Interval | None:
    """Return the interval for the method: over seeds and queries, as crossed random effects.

    The variance of the grand mean is var(seed)/S + var(query)/Q + var(rest)/(S Q). Two components of it have
    unbiased estimates from the mean squares (Searle, Casella and McCulloch, Variance Components, 1992), with
    very different precision:

        var(seed)/S + var(rest)/(S Q)  by  MS_seed / (S Q), with S - 1 degrees of freedom
        var(query)/Q                   by  (MS_query - MS_rest) / (S Q), at least 0; taken to have Q - 1

    So each is multiplied by the squared quantile of its own degrees of freedom (Banerjee's interval, whose
    coverage is at least its level; see `Interval`). A single quantile with Satterthwaite's degrees of freedom
    undercovers: when three seeds happen to agree, their small mean square makes the seeds look unimportant
    and yields the degrees of freedom of the queries. Its coverage falls to 93 % with three seeds and to 88 %
    with two; `docs/statistics.md` has both, measured.

    The interval is never narrower than that for these checkpoints, which answers a weaker question.

    Args:
        differences: [S, Q] a row minus the baseline, fractions.
        level: confidence in (0, 1).
        clusters: cluster of each query, [Q]; by default each query is one.

    Returns:
        The interval; None with one seed, which allows no inference about the method.

    Raises:
        UserError: fewer than two queries, a difference that is not finite, or a level outside (0, 1).
    """
    values = _table(differences, level)
    if len(values) == 1:
        return None
    table, df = by_cluster(values, clusters)
    seeds, queries = table.shape
    squares = mean_squares(table)
    of_seeds = VarianceComponent(squares.seed / (seeds * queries), seeds - 1)
    of_queries = VarianceComponent(max(squares.query - squares.residual, 0.0) / (seeds * queries), df)
    checkpoints = checkpoint_interval(values, level, clusters)
    return Interval(checkpoints.mean, (of_seeds, of_queries), level, least=checkpoints.parts)


def mean_squares(table: FloatArray) -> MeanSquares:
    """Return the mean squares of `table` [S, Q], where S and Q are at least 2."""
    seeds, queries = table.shape
    of_seed, of_query = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    residual = table - of_seed - of_query + table.mean()
    return MeanSquares(
        seed=queries * _dust_free(of_seed.ravel()) ** 2,
        query=seeds * _dust_free(of_query.ravel()) ** 2,
        residual=float((residual**2).sum()) / ((seeds - 1) * (queries - 1)),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values, in the same order (Holm, Scandinavian Journal of Statistics 1979).

    The i-th smallest of m (i from 0) is multiplied by m - i; the results are made monotone and capped at 1.
    """
    order = sorted(range(len(p_values)), key=lambda position: p_values[position])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, position in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[position]))
        adjusted[position] = running
    return adjusted


def _dust_free(values: FloatArray) -> float:
    """Standard deviation; exactly 0 for values that differ by rounding errors only."""
    spread = float(values.std(ddof=1))
    return 0.0 if spread <= 1e-14 * float(np.abs(values).max()) else spread


def _table(differences: npt.ArrayLike, level: float) -> FloatArray:
    """Check and return [S, Q] float64."""
    table = np.asarray(differences, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] < 2:
        raise UserError(
            f"an interval needs values [seeds, queries], at least two queries, got shape {list(table.shape)}"
        )
    if not np.isfinite(table).all():
        raise UserError("an interval needs finite values", fix="look for queries without a score")
    if not 0 < level < 1:
        raise UserError(f"a confidence level is between 0 and 1, got {level}")
    return table
