"""Vectors that come back with each chunk of ranks, kept while there is room for them."""

from __future__ import annotations

from collections.abc import Callable

from harness.analysis.gradients.per_sample import Part

Key = tuple[int, int]
"""A query's row, and which of its two weighted sums."""


class Kept:
    """Weighted sums of the gradients of a query's scores.

    Args:
        room: bytes that they may take.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._found: dict[Key, dict[str, Part]] = {}

    def of(self, key: Key, make: Callable[[], dict[str, Part]]) -> dict[str, Part]:
        """Return a sum's parts by parameter: those that were kept, or made now and kept where they fit."""
        if key in self._found:
            return self._found[key]
        made = make()
        size = sum(part.values.nbytes for part in made.values())
        if size <= self._room:
            self._room -= size
            self._found[key] = made
        return made
