"""A cache of the weighted sums that every chunk of ranks needs again."""

from __future__ import annotations

from collections.abc import Callable

from harness.gradients.per_sample import GradientsByName

Key = tuple[int, int]
"""Number of a query's row, and index of its weighted sum."""


class VectorCache:
    """Caches weighted sums of the gradients of a query's scores, up to a capacity in bytes."""

    def __init__(self, capacity: int) -> None:
        self._left = capacity
        self._sums: dict[Key, GradientsByName] = {}

    def of(self, key: Key, make: Callable[[], GradientsByName]) -> GradientsByName:
        """Return a cached sum, or make it and cache it if it fits."""
        if key in self._sums:
            return self._sums[key]
        sums = make()
        size = sum(gradient.values.nbytes for gradient in sums.values())
        if size <= self._left:
            self._left -= size
            self._sums[key] = sums
        return sums
