"""BM25, the lexical reference (Robertson and Walker 1994), with bm25s."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt

from harness.errors import UserError

logging.getLogger("bm25s").setLevel(logging.WARNING)

K1, B = 1.5, 0.75
"""Defaults of bm25s, untuned."""


_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]{2,}"
)
"""Letters of scripts without blanks between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""


def bm25_search(
    documents: Sequence[str], queries: Sequence[str], k: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Rank documents for each query by lower-cased words, without English stop words and stemming.

    Where a script puts no blanks between words, each two neighbouring letters are a word, as in Lucene's
    CJKAnalyzer; unless such a script is in less than 1 % of the documents.

    Returns:
        Scores [Q, k] in descending order, and document numbers [Q, k]; documents that share no word with
        the query are last, with score 0.

    Raises:
        UserError: no document has a word.
    """
    unspaced = sum(_UNSPACED.search(text) is not None for text in documents) >= len(documents) / 100
    in_words = _in_words if unspaced else list
    corpus: Any = bm25s.tokenize(in_words(documents), stopwords="en", show_progress=False)
    if not any(len(words) for words in corpus.ids):
        what = "no document has a word that BM25 reads: two letters or more, and no English stop word"
        raise UserError(what, where="BM25", fix="leave it out for this collection")
    index = bm25s.BM25(k1=K1, b=B, method="lucene")
    index.index(corpus, show_progress=False)
    tokens = bm25s.tokenize(in_words(queries), stopwords="en", show_progress=False, return_ids=False)
    numbers, scores = index.retrieve(tokens, k=min(k, len(documents)), show_progress=False, n_threads=1)
    return scores.astype(np.float32), numbers.astype(np.int64)


def _in_words(texts: Sequence[str]) -> list[str]:
    """Return texts with blanks between the pairs of letters of scripts without blanks."""
    return [_UNSPACED.sub(lambda run: f" {' '.join(map(''.join, pairwise(run.group())))} ", t) for t in texts]
