"""BM25, the lexical reference (Robertson and Walker 1994), with bm25s."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt

logging.getLogger("bm25s").setLevel(logging.WARNING)

K1, B = 1.5, 0.75
"""Defaults of bm25s, untuned."""


def bm25_search(
    documents: Sequence[str], queries: Sequence[str], k: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Rank documents for each query by lower-cased words, without English stop words and stemming.

    Returns:
        Scores [Q, k] in descending order, and document numbers [Q, k]; documents that share no word with
        the query are last, with score 0.
    """
    corpus: Any = bm25s.tokenize(list(documents), stopwords="en", show_progress=False)
    index = bm25s.BM25(k1=K1, b=B, method="lucene")
    index.index(corpus, show_progress=False)
    tokens = bm25s.tokenize(list(queries), stopwords="en", show_progress=False, return_ids=False)
    numbers, scores = index.retrieve(tokens, k=min(k, len(documents)), show_progress=False, n_threads=1)
    return scores.astype(np.float32), numbers.astype(np.int64)
