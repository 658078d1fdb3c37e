"""Memory that does not suffice, told in one line with the setting to lower, and to what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from harness.errors import RunError, first_line

SAID = ("can't allocate memory", "not enough memory", "ALLOC_FAILED")
"""How torch's allocator on a CPU, and libraries below it, say it in an error that has no type of its own."""

ELSEWHERE = "end what else takes memory here, or run it where there is more"


@contextmanager
def memory_told(where: str, fix: str = ELSEWHERE) -> Iterator[None]:
    """Tell that memory does not suffice for what happens within the block.

    Raises:
        RunError: it did not; other runs may need less.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        typed = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not typed and not any(words in str(error) for words in SAID):
            raise
        raise RunError(f"memory does not suffice ({first_line(error)})", where=where, fix=fix) from error


def smaller(batch: int, places: int) -> str:
    """Return what to lower so that a step takes less memory, which grows with the batch."""
    if batch > 1:
        return f"lower `batch` of the phase from {batch} to {batch // 2}"
    return f"lower `places` from {places} to {places // 2}"
