"""Precision of the products of matrices on a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def products(precision: str) -> Iterator[None]:
    """Within the block, let GPUs multiply float32 matrices in tf32, where that is the precision."""
    if precision != "tf32":
        yield
        return
    matmul = torch.backends.cuda.matmul
    before = matmul.allow_tf32  # torch's newer name for it breaks whoever reads this one meanwhile
    matmul.allow_tf32 = True
    try:
        yield
    finally:
        matmul.allow_tf32 = before
