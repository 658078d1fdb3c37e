"""Counter-based noise: a uniform number is a hash of its purpose, independent of the order of calls.

The number depends on (seed, round, visit, stage, query, positive, document) only, so it is the same for all
samplers, batch orders, numbers of workers and ranks, and after a resume. The mixing function is the finaliser
of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", figure 14).
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.negatives.candidates import Candidates, Floats

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)

ORDER_STAGE = 100
"""Stage of the noise that orders the queries of an epoch; draws use smaller stages."""

DROPOUT_STAGE = 101
"""Stage of the noise that seeds dropout."""

SAMPLE_STAGE = 102
"""Stage of the noise that picks the pairs whose draws are looked at."""


def mixed(*counters: npt.ArrayLike) -> npt.NDArray[np.uint64]:
    """Return 64 well-mixed bits for each broadcast combination of integer counters."""
    scalars = tuple(itertools.takewhile(lambda counter: isinstance(counter, int), counters))
    state = np.array([_mixed_scalars(scalars)], dtype=np.uint64)
    for counter in counters[len(scalars) :]:
        state = _finalised(state + _GOLDEN ^ np.asarray(counter, dtype=np.int64).view(np.uint64))
    return state.reshape(np.broadcast_shapes(*map(np.shape, counters)))


@functools.lru_cache
def _mixed_scalars(counters: tuple[int, ...]) -> int:
    """Mix the leading scalar counters, which are nearly always the same for a draw."""
    state = np.zeros(1, dtype=np.uint64)
    for counter in counters:
        state = _finalised(state + _GOLDEN ^ np.array([counter], dtype=np.int64).view(np.uint64))
    return int(state[0])


def _finalised(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Mix in place, as a large part of a draw's time is spent here."""
    shifted = state >> np.uint64(30)
    state ^= shifted
    state *= _FIRST
    np.right_shift(state, np.uint64(27), out=shifted)
    state ^= shifted
    state *= _SECOND
    np.right_shift(state, np.uint64(31), out=shifted)
    state ^= shifted
    return state


def uniform(*counters: npt.ArrayLike) -> Floats:
    """Return uniform numbers strictly between 0 and 1 for each broadcast combination of counters.

    The lowest of the 53 bits is always set, so neither 0 nor 1 can occur.
    """
    bits = mixed(*counters)
    bits >>= np.uint64(12)
    number = bits.astype(np.float64)
    number += 0.5
    number *= 2.0**-52
    return number


@dataclass(frozen=True)
class Noise:
    """The noise of one batch of draws.

    Attributes:
        seed: seed of the training run.
        round: number of the refresh that produced the candidates.
        visit: [R] number of earlier visits to the pair of each row.
    """

    seed: int
    round: int
    visit: npt.NDArray[np.int64]

    def of(self, candidates: Candidates, stage: int, copy: int = 0) -> Floats:
        """Return [R, K] uniform numbers for a stage of a draw, and for a copy of it in repeated draws."""
        return uniform(
            self.seed,
            self.round,
            self.visit[:, None],
            stage,
            copy,
            candidates.query[:, None],
            candidates.positive[:, None],
            candidates.document,
        )

    def of_row(self, candidates: Candidates, stage: int, copies: int) -> Floats:
        """Return [R, copies] uniform numbers for rows, independent of the candidates."""
        return uniform(
            self.seed,
            self.round,
            self.visit[:, None],
            stage,
            np.arange(copies)[None, :],
            candidates.query[:, None],
            candidates.positive[:, None],
            -1,
        )
