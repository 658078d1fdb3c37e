"""Memory that does not suffice, told in one line with the setting to lower, and to what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from harness.errors import RunError, first_line
from harness.records.environment import memory_bytes

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


SCORES = 3
"""How often a step has the scores of its queries with all passages: as they are, as softmax, as gradient."""


def refuse_scores(queries: int, passages: int, like: torch.Tensor) -> None:
    """Refuse a step whose scores do not fit the device, before they are there.

    Args:
        queries: of the step.
        passages: that each is scored with.
        like: has the scores' device and type.

    Raises:
        RunError: the device has less memory in all.
    """
    on_gpu = like.device.type == "cuda"
    has = torch.cuda.get_device_properties(like.device).total_memory if on_gpu else memory_bytes()
    size = SCORES * queries * passages * like.element_size()
    if has is not None and size > has:
        what = f"the scores of {queries:,} queries with {passages:,} passages take {size / 1e9:,.0f} GB"
        fix = f"lower `batch` of the phase from {queries} to {queries // 2}, or the negatives of a query"
        raise RunError(f"{what}; there are {has / 1e9:,.0f} GB", where="in-batch negatives", fix=fix)


def smaller(batch: int, places: int) -> str:
    """Return what to lower so that a step takes less memory, which grows with the batch."""
    if batch > 1:
        return f"lower `batch` of the phase from {batch} to {batch // 2}"
    return f"lower `places` from {places} to {places // 2}"
