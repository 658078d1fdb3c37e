"""Statistics over queries of the gradients at each rank, with bootstrap bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from harness.evaluation.over_queries import resampled
from harness.negatives.candidates import Floats, Integers

REPLICATES = 1000
LEVEL = 0.95

BY_QUERY = ("mean of norms", "variance of norms")
BY_GROUP = ("norm of the mean", "trace of the covariance")
STATISTICS = (*BY_QUERY, *BY_GROUP)
SQUARED = BY_GROUP[0]
"""The statistic whose curves hold squares, which are unbiased, and by chance below 0 without a mean."""


@dataclass(frozen=True)
class Gradients:
    """Sufficient statistics of the gradients of Q queries at R ranks.

    Attributes:
        retriever: name of the retriever.
        norm: [Q, R] lengths of the gradients.
        product: [R, G, G] inner products of the sums over each group's queries.
        group: [Q] group of each query.
        positive_rank: [Q] mean rank, from 1, of the query's positives among all its negatives.
        seed: seed of the bootstrap.
    """

    retriever: str
    norm: Floats
    product: Floats
    group: Integers
    positive_rank: Floats
    seed: int

    @property
    def groups(self) -> int:
        """Number of groups of queries."""
        return int(self.product.shape[1])


@dataclass(frozen=True)
class Curves:
    """Statistics of gradients by rank, and of resampled queries.

    Attributes:
        value: statistic -> [R] curve of the queries; squares for `SQUARED`.
        replicate: statistic -> [replicates, R] curves of resamples, each the same for all ranks.
        positive_rank: mean over queries of the positives' mean rank.
        positive_replicate: statistic -> [replicates] mean rank of the positives in its resamples.
    """

    value: dict[str, Floats]
    replicate: dict[str, Floats]
    positive_rank: float
    positive_replicate: dict[str, Floats]


def curves(gradients: Gradients) -> Curves:
    """Return the curves of four statistics.

    The mean and variance of norms are resampled by query. The others need sums of vectors, stored by
    groups of queries, which are resampled.

    The square of the mean is estimated from products of different groups alone: a group's product with itself
    adds the trace of the covariance over Q, which is most of it where gradients differ between queries.
    """
    generator = np.random.default_rng(gradients.seed)
    queries = len(gradients.norm)
    drawn = resampled(generator, queries, REPLICATES)
    grouped = resampled(generator, gradients.groups, REPLICATES)
    value, replicate = {}, {}
    for names, of, times in ((BY_QUERY, _of_norms, drawn), (BY_GROUP, _of_vectors, grouped)):
        ones = np.ones((1, times.shape[1]))
        for name, point, other in zip(names, of(gradients, ones), of(gradients, times), strict=True):
            value[name], replicate[name] = point[0], other
    by_query = drawn @ gradients.positive_rank / queries
    members = grouped[:, gradients.group]
    by_group = members @ gradients.positive_rank / members.sum(axis=1)
    return Curves(
        value,
        replicate,
        float(gradients.positive_rank.mean()),
        {name: by_query if name in BY_QUERY else by_group for name in STATISTICS},
    )


def band(
    value: npt.ArrayLike, replicate: Floats, level: float = LEVEL, units: int | None = None
) -> tuple[Floats, Floats]:
    """Return the ends of a bootstrap interval of a statistic.

    It is the spread of the replicates about their mean, centred on the value; where few units were resampled
    it is widened by what such resamples lack.

    Args:
        value: [...] the statistic.
        replicate: [replicates, ...] the statistic of resamples.
        level: confidence level.
        units: number of resampled groups; None where there are many units.
    """
    tails = (1 - level) / 2
    low, high = np.quantile(replicate - replicate.mean(axis=0), [tails, 1 - tails], axis=0)
    wider = _widened(units, tails) if units else 1.0
    return np.asarray(value + wider * low), np.asarray(value + wider * high)


def _widened(units: int, tail: float) -> float:
    """Return by how much an interval of a few units is wider than one of many.

    By Student's t; by the spread of resamples of G units, sqrt((G - 1) / G) of that of samples; and, of
    statistics of pairs of different units, by another (G - 2) / (G - 1), from their linear terms.
    """
    if units < 3:  # there are no more than two different replicates
        return 1.0
    few = stats.t.isf(tail, units - 1) * np.sqrt(units / (units - 1)) * (units - 1) / (units - 2)
    return float(few / stats.norm.isf(tail))


def _of_norms(gradients: Gradients, times: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of norms, [B, R] each, for counts of queries [B, Q]."""
    count = times.sum(axis=1, keepdims=True)
    middle = gradients.norm.mean(axis=0)  # squares of deviations from it keep their digits
    deviation = gradients.norm - middle
    mean = times @ deviation / count
    variance = (times @ deviation**2 - count * mean**2) / np.maximum(count - 1, 1)
    return middle + mean, np.maximum(variance, 0)


def _of_vectors(gradients: Gradients, times: Floats) -> tuple[Floats, Floats]:
    """Return square of the mean and trace of the covariance, [B, R] each, for counts of groups [B, G]."""
    sizes = np.bincount(gradients.group, minlength=gradients.groups)
    squares = np.zeros((gradients.groups, gradients.norm.shape[1]))
    np.add.at(squares, gradients.group, gradients.norm**2)
    count = (times @ sizes)[:, None]
    different = ~np.eye(gradients.groups, dtype=bool)

    def summed(products: Floats) -> Floats:
        return np.asarray(np.einsum("bg,rgh,bh->br", times, products, times, optimize=True))

    pairs = summed((np.outer(sizes, sizes) * different).astype(np.float64)[None])
    square = summed(gradients.product * different) / np.maximum(pairs, 1)
    trace = (times @ squares - summed(gradients.product) / count) / np.maximum(count - 1, 1)
    return square, np.maximum(trace, 0)
