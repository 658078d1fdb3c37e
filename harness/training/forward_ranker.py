"""From lists of passages to the scores that a ranker's loss reads."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from harness.collections.pairs import Pairs
from harness.collections.tokens import TokenStore
from harness.encoders.ranker import Ranker
from harness.retrieval.rerank import scored_buckets
from harness.training.forward import PLACES_PER_BUCKET, Numbers


def score_lists(
    ranker: Ranker, tokens: TokenStore, query: Numbers, passage: Numbers, *, pair_tokens: int
) -> Tensor:
    """Score training queries [B] against their own passages [B, C], with gradient.

    Args:
        ranker: which.
        tokens: of the collection.
        query: [B] numbers of training queries.
        passage: [B, C] document numbers.
        pair_tokens: tokens of a pair at most.

    Returns:
        [B, C].
    """
    repeated = np.repeat(query, passage.shape[1])
    pairs = Pairs(tokens.queries["train"], tokens.documents, repeated, passage.reshape(-1), pair_tokens)
    buckets, parts = zip(*scored_buckets(ranker, pairs, tokens.pad, PLACES_PER_BUCKET), strict=True)
    scores = torch.cat(parts)
    back = torch.from_numpy(np.argsort(np.concatenate(buckets))).to(scores.device)
    return scores.index_select(0, back).view(*passage.shape)
