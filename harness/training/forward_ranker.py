"""From lists of passages to the scores that a ranker's loss reads."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from harness.encoders.flops import model_flops
from harness.encoders.ranker import Ranker
from harness.retrieval.encode import length_buckets
from harness.retrieval.rerank import PairTexts, pairs_of, score_bucket
from harness.retrieval.timeline import count
from harness.training.forward import AS_IT_IS, Numbers, Passing


def score_lists(
    ranker: Ranker,
    texts: PairTexts,
    query: Numbers,
    passage: Numbers,
    *,
    pair_tokens: int,
    passing: Passing = AS_IT_IS,
) -> Tensor:
    """Score training queries [B] against their own passages [B, C], with gradient.

    Args:
        ranker: which.
        texts: what it reads of the collection.
        query: [B] numbers of training queries.
        passage: [B, C] document numbers.
        pair_tokens: tokens of a pair at most.
        passing: how pairs pass through it.

    Returns:
        [B, C].
    """
    repeated = np.repeat(query, passage.shape[1])
    pairs = pairs_of(texts, "train", repeated, passage.reshape(-1), pair_tokens)
    buckets = list(length_buckets(pairs.lengths, passing.places))
    count(int(pairs.lengths.sum()), model_flops(ranker, pairs.lengths, trains=torch.is_grad_enabled()))

    def compute(number: int) -> Tensor:
        with passing.bucket(ranker, "ranker", number) as like:
            return score_bucket(ranker, pairs, buckets[number], texts.pad).to(like.dtype)

    return passing.deal.rows(buckets, pairs.lengths, compute, ranker, ()).view(*passage.shape)
