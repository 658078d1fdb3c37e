"""Means, shares and quantiles with intervals over queries: candidates of a query are not independent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from harness.negatives.candidates import Floats, Integers

LEVEL = 0.95
"""Confidence level of every interval."""


class Estimate(NamedTuple):
    """Estimates [...], with the lower and upper ends of their intervals; NaN without observations."""

    value: Floats
    low: Floats
    high: Floats


def mean(total: npt.ArrayLike, count: npt.ArrayLike, query: Integers, *, of_shares: bool = False) -> Estimate:
    """Return sum(total) / sum(count) with Student's interval over queries.

    A ratio of sums over queries, its variance linearised (Cochran 1977, section 6.4).

    Args:
        total: [R, ...] sum of each row.
        count: [R, ...] number of terms in each sum.
        query: [R] query of each row; the rows of a query count as one observation.
        of_shares: whether no value of the mean lies beyond 0 and 1, where the interval ends then.
    """
    value, error, df = _ratio(np.asarray(total, float), np.asarray(count, float), query)
    reach = _student(df) * error
    if of_shares:
        return Estimate(value, np.maximum(value - reach, 0.0), np.minimum(value + reach, 1.0))
    return Estimate(value, value - reach, value + reach)


def share(hits: npt.ArrayLike, count: npt.ArrayLike, query: Integers) -> Estimate:
    """Return sum(hits) / sum(count) with Wilson's interval over queries.

    Wilson's interval at the effective sample size, the number of independent observations with the same
    variance (Korn and Graubard 1998, with Wilson's in place of the exact interval). A share of 0 has an upper
    end above 0.

    Args:
        hits: [R, ...] hits of each row.
        count: [R, ...] trials of each row.
        query: [R] query of each row.
    """
    counted = np.asarray(count, float)
    value, error, df = _ratio(np.asarray(hits, float), counted, query)
    seen = counted.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(error > 0, np.minimum(value * (1 - value) / np.square(error), seen), seen)
        z = np.square(_student(df))
        middle = (value + z / (2 * effective)) / (1 + z / effective)
        reach = np.sqrt(z * (value * (1 - value) + z / (4 * effective)) / effective) / (1 + z / effective)
    return Estimate(value, np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0))


def quantile(values: Floats, used: npt.ArrayLike, query: Integers, at: float) -> Estimate:
    """Return a quantile of the used values with Woodruff's interval over queries.

    The ends of the interval of the share of values up to the quantile are turned back into values
    (Woodruff 1952).

    Args:
        values: [R, n] values of each row.
        used: [R, n] whether a value counts.
        query: [R] query of each row.
        at: level of the quantile, in (0, 1).
    """
    used = np.asarray(used, bool)
    every = values[used]
    if not every.size:
        return Estimate(*(np.asarray(np.nan) for _ in range(3)))
    value = np.quantile(every, at)
    below = share(((values <= value) & used).sum(axis=1), used.sum(axis=1), query)
    ends = [np.quantile(every, min(max(float(end - below.value + at), 0.0), 1.0)) for end in below[1:]]
    return Estimate(np.asarray(value), np.asarray(ends[0]), np.asarray(ends[1]))


def _ratio(total: Floats, count: Floats, query: Integers) -> tuple[Floats, Floats, Floats]:
    """Return sum(total) / sum(count), its standard error over queries, and degrees of freedom."""
    _, place = np.unique(query, return_inverse=True)
    totals, counts = (_by_query(of, place) for of in (total, count))
    seen = counts.sum(axis=0)
    queries = (counts > 0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = totals.sum(axis=0) / seen
        residual = np.square(totals - value * counts).sum(axis=0)
        error = np.sqrt(residual * queries / np.maximum(queries - 1, 1)) / seen
    return value, error, np.maximum(queries - 1, 1)


def _by_query(values: Floats, place: Integers) -> Floats:
    sums = np.zeros((place.max() + 1, *values.shape[1:]))
    np.add.at(sums, place, values)
    return sums


def _student(df: Floats) -> Floats:
    return np.asarray(special.stdtrit(df, (1 + LEVEL) / 2))


def resampled(generator: np.random.Generator, count: int, replicates: int) -> Floats:
    """Return how often each of `count` queries is in a sample with replacement, [replicates, count]."""
    return generator.multinomial(count, np.full(count, 1 / count), replicates).astype(np.float64)
