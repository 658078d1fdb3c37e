"""Scores of a ranker for given documents of each query."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.collections.pairs import IntArray, Pairs
from harness.collections.tokens import TokenStore
from harness.encoders.ranker import Ranker
from harness.retrieval.encode import TOKENS_PER_BATCH, length_buckets


def nothing(done: int) -> None:
    """Show no progress."""


def rerank_scores(
    ranker: Ranker,
    tokens: TokenStore,
    split: str,
    documents: IntArray,
    *,
    pair_tokens: int,
    rows: IntArray | None = None,
    advance: Callable[[int], None] = nothing,
) -> npt.NDArray[np.float32]:
    """Score documents for each query, without dropout.

    Args:
        ranker: which.
        tokens: of the collection.
        split: of the queries.
        documents: [Q, k] document numbers; below 0 where there is none.
        pair_tokens: tokens of a pair at most.
        rows: [Q] numbers of the queries; all of the split by default.
        advance: called with the number of pairs that are scored.

    Returns:
        [Q, k] float32; -inf where there is no document.
    """
    queries = tokens.queries[split]
    rows = np.arange(len(queries)) if rows is None else rows
    present = documents >= 0
    query = np.broadcast_to(rows[:, None], documents.shape)[present]
    pairs = Pairs(queries, tokens.documents, query, documents[present], pair_tokens)
    scores, done = np.empty(len(pairs), dtype=np.float32), 0
    was_training = ranker.training
    ranker.eval()
    with torch.inference_mode():
        for bucket, scored in scored_buckets(ranker, pairs, tokens.pad, TOKENS_PER_BATCH):
            scores[bucket] = scored.float().cpu().numpy()
            done += len(bucket)
            advance(done)
    ranker.train(was_training)
    table = np.full(documents.shape, -np.inf, dtype=np.float32)
    table[present] = scores
    return table


def scored_buckets(ranker: Ranker, pairs: Pairs, pad: int, places: int) -> Iterator[tuple[IntArray, Tensor]]:
    """Yield row numbers of pairs and their scores, bucketed by length.

    Args:
        ranker: which.
        pairs: P of them.
        pad: token id that fills.
        places: token places (padding included) that are scored at once.
    """
    device = next(ranker.parameters()).device
    for bucket in length_buckets(pairs.lengths, places):
        arrays = pairs.padded(bucket, pad)
        yield bucket, ranker(*(torch.from_numpy(array).to(device) for array in arrays))
