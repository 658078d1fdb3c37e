"""Selection of distinct candidates by a key: by weight, then by fills, then by tiling."""

from __future__ import annotations

import warnings

import numpy as np

from harness.negatives.candidates import Candidates, Draws, Floats, Integers, Weights
from harness.negatives.draws.draw import at_columns, largest, refuse_empty


def take(candidates: Candidates, weights: Weights, shake: Floats, n: int) -> Draws:
    """Select the n candidates of each row with the largest log-weight plus `shake`.

    Args:
        candidates: R rows of K candidates.
        weights: their log-weights and fills.
        shake: [R, K] noise or tie breaks, added to log-weights and fills.
        n: number of negatives in each row.
    """
    keys = weights.log_weight + shake
    column = largest(keys, n)
    enough = np.isfinite(at_columns(keys, column))
    available = enough.sum(axis=1)
    filled = np.zeros(len(keys), dtype=np.int64)
    for row in np.flatnonzero(available < column.shape[1]):  # rare rows, each by itself
        chosen = fill_row(column[row][enough[row]], weights, shake, row, n)
        filled[row] = len(chosen) - available[row]
        available[row] = len(chosen)
        column[row, : len(chosen)] = chosen
    return finish(candidates, column, available, filled, n)


def fill_row(chosen: Integers, weights: Weights, shake: Floats, row: np.intp, n: int) -> Integers:
    """Return the chosen columns of a row, extended to at most n by the law's fills in turn."""
    for fill in weights.fills:
        rest = fill[row] + shake[row]
        rest[chosen] = -np.inf
        extra = largest(rest[None], n - len(chosen))[0]
        chosen = np.concatenate([chosen, extra[np.isfinite(rest[extra])]])
    return chosen


def finish(candidates: Candidates, column: Integers, available: Integers, filled: Integers, n: int) -> Draws:
    """Return the draws from the first `available` columns of each row; short rows are tiled.

    Raises:
        UserError: a row has no candidate.
    """
    refuse_empty(candidates, available > 0)
    if (available < n).any():
        column = _tile(column, available, n)
    return Draws(
        column=column,
        document=at_columns(candidates.document, column),
        filled=filled,
        tiled=n - np.minimum(available, n),
    )


def _tile(column: Integers, available: Integers, n: int) -> Integers:
    """Repeat the available columns of short rows, in order, up to n."""
    short = int((available < n).sum())
    warnings.warn(f"{short} row(s) have fewer than {n} candidates: they are repeated (tiled)", stacklevel=5)
    places = np.arange(n)[None, :] % np.minimum(available, n)[:, None]
    return np.take_along_axis(column, places, axis=1)
