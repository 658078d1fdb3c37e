"""How n negatives are taken from weighted candidates.

Without replacement is exact: the n largest of log-weight plus Gumbel noise have the distribution of n
successive draws, each in proportion to the weights that are left (Yellott 1977; Kool et al. 2019).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from harness.errors import UserError, nearest
from harness.negatives.candidates import Booleans, Candidates, Draws, Floats, Integers, Weights
from harness.negatives.noise import Noise

FINAL_STAGE = 0
"""Stage of the noise by which the final negatives are drawn; laws with stages of their own use 1, 2, ..."""


def gumbel(noise: Floats) -> Floats:
    """Return standard Gumbel noise from uniform noise in (0, 1)."""
    return -np.log(-np.log(noise))


def largest(keys: Floats, count: int) -> Integers:
    """Return the columns of the `count` largest keys of each row, largest first, [R, count]."""
    count = min(count, keys.shape[1])
    if count == 0:
        return np.empty((len(keys), 0), dtype=np.int64)
    part = np.argpartition(-keys, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(keys, part, axis=1), axis=1, kind="stable")
    return np.take_along_axis(part, order, axis=1)


def has_weight(log_weight: Floats) -> Booleans:
    """Tell which rows have any candidate of weight above 0, [R]."""
    return np.asarray(np.isfinite(log_weight).any(axis=1))


def without_replacement(candidates: Candidates, weights: Weights, noise: Noise, n: int) -> Draws:
    """Draw n distinct candidates of each row by Gumbel top-k; the default."""
    shake = gumbel(noise.of(candidates, FINAL_STAGE))
    return _take(candidates, weights, shake, n)


def best(candidates: Candidates, weights: Weights, noise: Noise, n: int) -> Draws:
    """Take the n candidates of greatest weight; ties go to the smaller document number."""
    tie_break = -1e-12 * np.argsort(np.argsort(candidates.document, axis=1), axis=1)
    return _take(candidates, weights, tie_break, n)


def with_replacement(candidates: Candidates, weights: Weights, noise: Noise, n: int) -> Draws:
    """Draw n times independently in proportion to the weights, as the README of SimANS does."""
    weighted = has_weight(weights.log_weight)
    log_weight = weights.log_weight
    for fill in weights.fills:
        log_weight = np.where(has_weight(log_weight)[:, None], log_weight, fill)
    _refuse_empty(candidates, has_weight(log_weight))
    columns = [
        np.argmax(log_weight + gumbel(noise.of(candidates, FINAL_STAGE, copy=time)), axis=1)
        for time in range(n)
    ]
    column = np.stack(columns, axis=1).astype(np.int64)
    return Draws(
        column=column,
        document=np.take_along_axis(candidates.document, column, axis=1),
        filled=np.where(weighted, 0, n).astype(np.int64),
        tiled=np.zeros(len(column), dtype=np.int64),
    )


DRAWS: dict[str, Callable[[Candidates, Weights, Noise, int], Draws]] = {
    "without-replacement": without_replacement,
    "best": best,
    "with-replacement": with_replacement,
}


def draw_named(name: str) -> Callable[[Candidates, Weights, Noise, int], Draws]:
    """Return a draw by its name.

    Raises:
        UserError: no such draw.
    """
    if name not in DRAWS:
        raise UserError(f"unknown draw '{name}'", fix=nearest(name, DRAWS))
    return DRAWS[name]


def _take(candidates: Candidates, weights: Weights, shake: Floats, n: int) -> Draws:
    """Take n by log-weight plus `shake`, then by the fillings in turn, then by tiling."""
    count = min(n, shake.shape[1])
    keys = weights.log_weight + shake
    column = largest(keys, count)
    enough = np.isfinite(np.take_along_axis(keys, column, axis=1))
    available = enough.sum(axis=1)
    filled = np.zeros(len(keys), dtype=np.int64)
    for row in np.flatnonzero(available < count):  # rare rows, each by itself
        chosen = column[row][enough[row]]
        for fill in weights.fills:
            rest = fill[row] + shake[row]
            rest[chosen] = -np.inf
            extra = largest(rest[None], count - len(chosen))[0]
            chosen = np.concatenate([chosen, extra[np.isfinite(rest[extra])]])
        filled[row] = len(chosen) - available[row]
        available[row] = len(chosen)
        column[row, : len(chosen)] = chosen
    _refuse_empty(candidates, available > 0)
    column = _tile(column, available, n)
    return Draws(
        column=column,
        document=np.take_along_axis(candidates.document, column, axis=1),
        filled=filled,
        tiled=n - np.minimum(available, n),
    )


def _tile(column: Integers, available: Integers, n: int) -> Integers:
    """Repeat the available columns of short rows in order until there are n."""
    short = available < n
    if not short.any():
        return column
    warnings.warn(
        f"{int(short.sum())} row(s) have fewer than {n} candidates: they are repeated (tiled)", stacklevel=4
    )
    places = np.arange(n)[None, :] % np.minimum(available, n)[:, None]
    return np.take_along_axis(column, places, axis=1)


def _refuse_empty(candidates: Candidates, has_any: Booleans) -> None:
    if not has_any.all():
        query = int(candidates.query[np.flatnonzero(~has_any)[0]])
        raise UserError(
            f"{int((~has_any).sum())} row(s) have no candidate left to draw",
            where=f"candidates of query {query}",
            fix="raise the number of candidates or drop the query",
        )
