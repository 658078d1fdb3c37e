"""The protocol of draws, and their common functions."""

from __future__ import annotations

from typing import ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from harness.errors import UserError
from harness.negatives.candidates import Booleans, Candidates, Draws, Floats, Integers, Weights
from harness.negatives.noise import Noise

Scalar = TypeVar("Scalar", bound=np.generic)

FINAL_STAGE = 0
"""Stage of the noise for the final draw; laws with random stages use 1, 2, ..."""


class Draw(Protocol):
    """A way to draw n negatives from weighted candidates.

    Attributes:
        summary: description in one line.
        citation: paper and section, or line of the released code.
    """

    summary: ClassVar[str]
    citation: ClassVar[str]

    @property
    def name(self) -> str:
        """Name in specs."""
        ...

    def __call__(self, candidates: Candidates, weights: Weights, noise: Noise, n: int) -> Draws:
        """Draw n candidates of each row.

        Raises:
            UserError: a row has no candidate.
        """
        ...


def gumbel(noise: Floats) -> Floats:
    """Convert uniform noise in (0, 1) into standard Gumbel noise, in place."""
    np.log(noise, out=noise)
    np.negative(noise, out=noise)
    np.log(noise, out=noise)
    return np.negative(noise, out=noise)


def largest(keys: Floats, count: int) -> Integers:
    """Return the columns of the `count` largest keys of each row in descending order, [R, count].

    Ties go to the first columns.
    """
    rows, width = keys.shape
    count = min(count, width)
    if count == 0:
        return np.empty((rows, 0), dtype=np.int64)
    least = np.partition(keys, width - count, axis=1)[:, width - count, None]
    flat = np.flatnonzero(keys >= least)
    if len(flat) != rows * count:  # ties at the edge
        return np.argsort(-keys, axis=1, kind="stable")[:, :count]
    order = np.argsort(-keys.reshape(-1)[flat].reshape(rows, count), axis=1, kind="stable")
    return at_columns(flat.reshape(rows, count) % width, order)


def at_columns(values: npt.NDArray[Scalar], column: Integers) -> npt.NDArray[Scalar]:
    """Return values [R, K] at the columns [R, n]; faster than `np.take_along_axis` for many short rows."""
    return values[np.arange(len(values))[:, None], column]


def has_weight(log_weight: Floats) -> Booleans:
    """Return whether each row has a candidate with a positive weight, [R]."""
    return np.asarray(np.isfinite(log_weight).any(axis=1))


def refuse_empty(candidates: Candidates, has_any: Booleans) -> None:
    """Raise an error for rows without a candidate.

    Raises:
        UserError: there is such a row.
    """
    if not has_any.all():
        query = int(candidates.query[np.flatnonzero(~has_any)[0]])
        raise UserError(
            f"{int((~has_any).sum())} row(s) have no candidate left to draw",
            where=f"candidates of query {query}",
            fix="raise the number of candidates or drop the query",
        )
