"""A ranker's scores of selected documents for each query."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.collections.pairs import IntArray, Pairs
from harness.collections.tokens import TokenStore
from harness.encoders.ranker import Ranker
from harness.errors import RunError
from harness.retrieval.encode import TOKENS_PER_BATCH, length_buckets


def nothing(done: int) -> None:
    """Ignore the progress."""


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
        ranker: cross-encoder that scores the pairs.
        tokens: token store of the collection.
        split: name of the queries' split.
        documents: [Q, k] document numbers; negative for no document.
        pair_tokens: maximal length of a pair in tokens.
        rows: [Q] numbers of the queries; by default all of the split.
        advance: called after each batch with the number of pairs scored so far.

    Returns:
        [Q, k] float32 scores; -inf for no document.

    Raises:
        RunError: a score is not finite.
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
        for bucket in length_buckets(pairs.lengths, TOKENS_PER_BATCH):
            scores[bucket] = score_bucket(ranker, pairs, bucket, tokens.pad).float().cpu().numpy()
            done += len(bucket)
            advance(done)
    ranker.train(was_training)
    bad = int((~np.isfinite(scores)).sum())
    if bad:
        what = f"{bad:,} of {len(scores):,} scores are not finite numbers"
        raise RunError(what, where="ranker", fix="look for NaN in its weights, or lower the learning rate")
    table = np.full(documents.shape, -np.inf, dtype=np.float32)
    table[present] = scores
    return table


def score_bucket(ranker: Ranker, pairs: Pairs, bucket: IntArray, pad: int) -> Tensor:
    """Return the scores of some pairs [B], all padded to the longest of them.

    Args:
        ranker: cross-encoder that scores the pairs.
        pairs: of query and passage.
        bucket: [B] row numbers of pairs.
        pad: id of the padding token.
    """
    device = next(ranker.parameters()).device
    scored: Tensor = ranker(*(torch.from_numpy(array).to(device) for array in pairs.padded(bucket, pad)))
    return scored
