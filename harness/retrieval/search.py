"""Exact inner-product search with faiss."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.errors import UserError

QUERIES_AT_ONCE = 1024


def faiss_module() -> Any:
    """Return the module faiss.

    Raises:
        UserError: neither faiss-cpu nor faiss-gpu is installed.
    """
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise UserError(
            "faiss is not installed",
            fix="install one of: pip install 'negative-sampling-harness[cpu]' (any machine), "
            "pip install 'negative-sampling-harness[gpu]' (NVIDIA GPU)",
        ) from error


def exact_search(
    queries: npt.NDArray[np.float32], documents: npt.NDArray[np.float32], k: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return the k documents with the largest inner product for each query.

    Args:
        queries: [Q, dimension] embeddings of the queries.
        documents: [N, dimension] embeddings of the documents.
        k: number of documents to retrieve; at most N are returned.

    Returns:
        Scores [Q, k] in descending order, and document numbers [Q, k].
    """
    faiss = faiss_module()
    k = min(k, len(documents))
    index = faiss.IndexFlatIP(documents.shape[1])
    index.add(np.ascontiguousarray(documents))
    scores = np.empty((len(queries), k), dtype=np.float32)
    numbers = np.empty((len(queries), k), dtype=np.int64)
    for begin in range(0, len(queries), QUERIES_AT_ONCE):
        part = slice(begin, begin + QUERIES_AT_ONCE)
        scores[part], numbers[part] = index.search(np.ascontiguousarray(queries[part]), k)
    return scores, numbers
