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
from harness.retrieval.states import FrozenTexts, StatePairs

PairTexts = TokenStore | FrozenTexts
"""What a ranker reads of a collection: tokens by a cross-encoder, states by a late interaction."""


def nothing(done: int) -> None:
    """Ignore the progress."""


def rerank_scores(
    ranker: Ranker,
    texts: PairTexts,
    split: str,
    documents: IntArray,
    *,
    pair_tokens: int,
    rows: IntArray | None = None,
    advance: Callable[[int], None] = nothing,
) -> npt.NDArray[np.float32]:
    """Score documents for each query, without dropout.

    Args:
        ranker: that scores the pairs.
        texts: what it reads of the collection.
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
    rows = np.arange(len(texts.queries[split])) if rows is None else rows
    present = documents >= 0
    query = np.broadcast_to(rows[:, None], documents.shape)[present]
    pairs = pairs_of(texts, split, query, documents[present], pair_tokens)
    scores, done = np.empty(len(pairs), dtype=np.float32), 0
    was_training = ranker.training
    ranker.eval()
    with torch.inference_mode():
        for bucket in length_buckets(pairs.lengths, TOKENS_PER_BATCH):
            scores[bucket] = score_bucket(ranker, pairs, bucket, texts.pad).float().cpu().numpy()
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


def pairs_of(
    texts: PairTexts, split: str, query: IntArray, document: IntArray, pair_tokens: int
) -> Pairs | StatePairs:
    """Return pairs of queries of a split with documents, as a ranker reads them.

    Args:
        texts: what it reads of the collection.
        split: name of the queries' split.
        query: [P] numbers of queries.
        document: [P] numbers of documents.
        pair_tokens: maximal length of a pair of which it reads the tokens.
    """
    if isinstance(texts, FrozenTexts):
        return StatePairs(texts.queries[split], texts.documents, query, document)
    return Pairs(texts.queries[split], texts.documents, query, document, pair_tokens)


def score_bucket(ranker: Ranker, pairs: Pairs | StatePairs, bucket: IntArray, pad: int) -> Tensor:
    """Return the scores of some pairs [B], all padded to the longest of them.

    Args:
        ranker: that scores the pairs.
        pairs: of query and passage.
        bucket: [B] row numbers of pairs.
        pad: id of the padding token.
    """
    device = next(ranker.parameters()).device
    scored: Tensor = ranker(*(torch.from_numpy(array).to(device) for array in pairs.padded(bucket, pad)))
    return scored
