"""Vectors that come back with each chunk of ranks, kept while there is room for them."""

from __future__ import annotations

from collections.abc import Callable

from harness.analysis.gradients.per_sample import GradientsByName

Key = tuple[int, int]
"""A query's row, and which of its two weighted sums."""


class VectorCache:
    """Weighted sums of the gradients of a query's scores.

    Args:
        capacity: bytes that they may take.
    """

    def __init__(self, capacity: int) -> None:
        self._left = capacity
        self._sums: dict[Key, GradientsByName] = {}

    def of(self, key: Key, make: Callable[[], GradientsByName]) -> GradientsByName:
        """Return a sum's parts by parameter: those that were kept, or made now and kept where they fit."""
        if key in self._sums:
            return self._sums[key]
        sums = make()
        size = sum(gradient.values.nbytes for gradient in sums.values())
        if size <= self._left:
            self._left -= size
            self._sums[key] = sums
        return sums
