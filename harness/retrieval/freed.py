"""Memory that is free, given back to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


def give_back() -> None:
    """Give back what a CPU's allocator holds and nobody uses; nothing where there is no such call.

    Buckets have tensors of many sizes, between which glibc keeps what is freed: without this a step that
    computes its buckets one after the other holds several times the memory of one.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
