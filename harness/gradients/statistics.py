"""Statistics over queries of the gradients at each rank, with bootstrap bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.evaluation.over_queries import resampled
from harness.negatives.candidates import Floats, Integers

REPLICATES = 1000
LEVEL = 0.95

BY_QUERY = ("mean of norms", "variance of norms")
BY_GROUP = ("norm of the mean", "trace of the covariance")
STATISTICS = (*BY_QUERY, *BY_GROUP)


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
        value: statistic -> [R] curve of the queries.
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


def band(value: npt.ArrayLike, replicate: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return the ends of a bootstrap interval of a statistic.

    It is the spread of the replicates about their mean, centred on the value. Plain quantiles would miss a
    curve such as the norm of the mean, which resampling increases.

    Args:
        value: [...] the statistic.
        replicate: [replicates, ...] the statistic of resamples.
        level: confidence level.
    """
    tails = (1 - level) / 2
    low, high = np.quantile(replicate - replicate.mean(axis=0), [tails, 1 - tails], axis=0)
    return np.asarray(value + low), np.asarray(value + high)


def _of_norms(gradients: Gradients, times: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of norms, [B, R] each, for counts of queries [B, Q]."""
    count = times.sum(axis=1, keepdims=True)
    middle = gradients.norm.mean(axis=0)  # squares of deviations from it keep their digits
    deviation = gradients.norm - middle
    mean = times @ deviation / count
    variance = (times @ deviation**2 - count * mean**2) / np.maximum(count - 1, 1)
    return middle + mean, np.maximum(variance, 0)


def _of_vectors(gradients: Gradients, times: Floats) -> tuple[Floats, Floats]:
    """Return norm of the mean and trace of the covariance, [B, R] each, for counts of groups [B, G]."""
    sizes = np.bincount(gradients.group, minlength=gradients.groups)
    squares = np.zeros((gradients.groups, gradients.norm.shape[1]))
    np.add.at(squares, gradients.group, gradients.norm**2)
    count = (times @ sizes)[:, None]
    length = (
        np.maximum(np.einsum("bg,rgh,bh->br", times, gradients.product, times, optimize=True), 0) / count**2
    )
    trace = (times @ squares - count * length) / np.maximum(count - 1, 1)
    return np.sqrt(length), np.maximum(trace, 0)
