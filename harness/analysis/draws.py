"""Draws of samplers from candidates, visit by visit, as in training."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from harness.errors import UserError
from harness.negatives.candidates import Candidates, Integers
from harness.negatives.draws.draw import Scalar, at_columns
from harness.negatives.noise import Noise
from harness.negatives.sampler import Sampler

VISITS = 4
"""Draws of each row by default."""


def drawn_columns(
    sampler: Sampler, candidates: Candidates, *, visits: int = VISITS, seed: int = 0, round: int = 0
) -> Integers:
    """Return the columns drawn at each visit, [visits, R, n]; rows with too few candidates repeat some.

    Raises:
        UserError: a score is not finite, or a row has no candidate.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", ".*repeated .tiled"
        )  # reported in training; here it would repeat for each draw
        return np.stack(
            [
                sampler(candidates, Noise(seed, round, np.full(len(candidates.query), visit))).column
                for visit in range(visits)
            ]
        )


def at_drawn(values: npt.NDArray[Scalar], column: Integers) -> npt.NDArray[Scalar]:
    """Return values [R, K] at drawn columns [visits, R, n], as [R, visits * n]."""
    flat = np.moveaxis(column, 0, 1).reshape(len(values), -1)
    return at_columns(values, flat)


def each_sampler(samplers: Mapping[str, Sampler]) -> Iterator[tuple[str, Sampler]]:
    """Yield names and samplers.

    Raises:
        UserError: there are none.
    """
    if not samplers:
        raise UserError("no sampler to analyse", fix="name at least one that draws its negatives")
    yield from samplers.items()
