"""Successive draws without replacement: the chance of each candidate to be among the first n.

Let candidate i have an exponential clock of rate w_i. The order in which clocks ring is that of successive
draws in proportion to the remaining weights, so i is drawn if fewer than n others ring before it:

    pi_i = integral over t of w_i exp(-w_i t) P(fewer than n of the others have rung at t) dt

The count of the others is Poisson-binomial. It is computed by recursion from both ends of the row, without
subtraction and so without cancellation. Over log t the integrand is smooth and about as wide as a Gumbel
density, for any weights.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.negatives.candidates import Floats, Integers

TAIL = 1e-13
"""Chance that the n-th ring is outside the interval of integration."""

NODES = 12
"""Gauss-Legendre nodes per panel."""

CHUNK = 8_000_000
"""Numbers in memory at once by the recursion from the left: 64 MB."""


def successive_inclusion(log_weight: Floats, take: Integers) -> Floats:
    """Return the chance of each candidate to be among the first draws, [R, K].

    Args:
        log_weight: [R, K], -inf for candidates that cannot be drawn.
        take: [R] number of draws in each row; a row with fewer weights draws all.
    """
    weighted = np.isfinite(log_weight)
    chance = weighted.astype(np.float64)
    by_chance = np.flatnonzero((weighted.sum(axis=1) > take) & (take > 0))
    chance[take <= 0] = 0.0
    for n in np.unique(take[by_chance]):
        rows = by_chance[take[by_chance] == n]
        chance[rows] = _among_first(log_weight[rows], int(n))
    return chance


def _among_first(log_weight: Floats, n: int) -> Floats:
    """Return these chances for rows with more than n weights."""
    nth = -np.partition(-log_weight, n - 1, axis=1)[:, n - 1, None]
    relative = (log_weight - nth).T  # [K, R]: around the n-th weight the n-th clock rings
    low, high = _when_the_nth_rings(relative, n)
    length = 2 * min(1.0, 2 / np.sqrt(n))  # the n-th ring is as narrow as 1 / sqrt(n)
    panels = int(np.ceil((high - low).max() / length))
    chance = np.empty(relative.shape)
    for rows in _chunks(relative.shape[1], relative.shape[0] * n * panels * NODES):
        chance[:, rows] = _integrated(relative[:, rows], n, low[rows], high[rows], panels)
    return chance.T


def _integrated(relative: Floats, n: int, low: Floats, high: Floats, panels: int) -> Floats:
    """Integrate over log time from `low` to `high`, [R] each; all that ring before `low` are among the n."""
    time, share = _nodes(low, high, panels)
    chance = -np.expm1(-_rates(relative, low[:, None]))[..., 0]
    for part in _chunks(time.shape[1], relative.size * n):
        rate = _rates(relative, time[:, part])
        density = rate * np.exp(-rate)
        chance += np.einsum("krt,rt->kr", density * _fewer_among_others(rate, n), share[:, part])
    return np.minimum(chance, 1.0)


def _fewer_among_others(rate: Floats, n: int) -> Floats:
    """Return P(fewer than n of the others have rung), like `rate` [K, R, T].

    The others are those before a candidate, whose count is stored for each, and those after it, whose chances
    of fewer than 1 to n are carried along.
    """
    rung, quiet = -np.expm1(-rate), np.exp(-rate)
    before = np.zeros((len(rate), n, *rate.shape[1:]))
    before[0, 0] = 1.0
    for place in range(len(rate) - 1):
        np.multiply(before[place], quiet[place], out=before[place + 1])
        before[place + 1, 1:] += before[place, :-1] * rung[place]
    fewer_after = np.ones((n, *rate.shape[1:]))
    chance = np.empty_like(rate)
    for place in reversed(range(len(rate))):
        np.einsum("nrt,nrt->rt", before[place], fewer_after[::-1], out=chance[place])
        _step(fewer_after, rung[place], quiet[place])
    return chance


def _when_the_nth_rings(relative: Floats, n: int) -> tuple[Floats, Floats]:
    """Return log times, [R] each, between which the n-th clock rings except for a chance of about TAIL."""
    earliest = np.log(TAIL) - np.log(len(relative))
    time = np.append(np.arange(earliest, 3.0, 0.75), 3.75)  # exp(3.75) = 42: the heaviest n have rung
    low, high = np.empty((2, relative.shape[1]))
    for rows in _chunks(relative.shape[1], (n + len(relative)) * len(time)):
        fewer = _fewer_of_all(_rates(relative[:, rows], time[None, :]), n)
        low[rows] = time[np.maximum((fewer < 1 - TAIL).argmax(axis=1) - 1, 0)]
        late = fewer < TAIL
        high[rows] = time[np.where(late.any(axis=1), late.argmax(axis=1), -1)]
    return low, high


def _fewer_of_all(rate: Floats, n: int) -> Floats:
    """Return P(fewer than n of all have rung), [R, T], of rates [K, R, T]."""
    fewer = np.ones((n, *rate.shape[1:]))
    for of in rate:
        _step(fewer, -np.expm1(-of), np.exp(-of))
    return np.asarray(fewer[-1])


def _step(fewer: Floats, rung: Floats, quiet: Floats) -> None:
    """Add a candidate to those that are counted, in place; `fewer` [n, ...] holds P(count < 1), ..., < n."""
    earlier = fewer[:-1] * rung
    fewer *= quiet
    fewer[1:] += earlier


def _rates(relative: Floats, log_time: Floats) -> Floats:
    """Return w t, [K, R, T], of log-weights [K, R] and log times [R or 1, T], at most 700."""
    return np.exp(np.minimum(relative[..., None] + log_time, np.log(700.0)))


def _nodes(low: Floats, high: Floats, panels: int) -> tuple[Floats, Floats]:
    """Return nodes and weights of a composite rule from `low` to `high`, [R, panels * NODES] each."""
    node, weight = np.polynomial.legendre.leggauss(NODES)
    half = ((high - low) / panels / 2)[:, None, None]
    middle = low[:, None, None] + half * (2 * np.arange(panels)[None, :, None] + 1)
    shape = (len(low), panels * NODES)
    return (middle + half * node).reshape(shape), np.broadcast_to(
        half * weight, (len(low), panels, NODES)
    ).reshape(shape)


def _chunks(count: int, numbers: int) -> Iterator[slice]:
    """Yield slices of `count` items of `numbers` numbers each: at most CHUNK numbers, at least one item."""
    size = max(1, CHUNK // numbers)
    yield from (slice(start, start + size) for start in range(0, count, size))
