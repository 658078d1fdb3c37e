"""From token sequences to the scores that a loss reads, by topology."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.collections.tokens import Ragged, TokenStore
from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.retrieval.encode import length_buckets
from harness.training.losses.scores import Scores

PLACES_PER_BUCKET = 4096
"""Token places of one bucket of a training batch: short passages are not padded to the longest."""

Numbers = npt.NDArray[np.int64]


def embed(tower: Tower, sequences: Ragged, rows: Numbers, pad: int) -> Tensor:
    """Embed sequences with gradient, each distinct sequence once, bucketed by length.

    Returns:
        [len(rows), dimension].
    """
    device = next(tower.parameters()).device
    distinct, place = np.unique(rows, return_inverse=True)
    parts, order = [], []
    for bucket in length_buckets(sequences.lengths[distinct], PLACES_PER_BUCKET):
        ids, mask = sequences.padded(distinct[bucket], pad)
        parts.append(tower(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)))
        order.append(bucket)
    back = torch.from_numpy(np.argsort(np.concatenate(order))[place]).to(device)
    return torch.cat(parts).index_select(0, back)


def embed_batch(
    encoder: DualEncoder, tokens: TokenStore, query: Numbers, passage: Numbers
) -> tuple[Tensor, Tensor]:
    """Embed the queries [B] and passages [B, 1 + n] of a batch.

    Returns:
        [B, dimension] and [B, 1 + n, dimension].
    """
    q = embed_queries(encoder, tokens, query)
    p = embed(encoder.passage, tokens.documents, passage.reshape(-1), tokens.pad)
    return q, p.view(*passage.shape, -1)


def embed_queries(encoder: DualEncoder, tokens: TokenStore, query: Numbers) -> Tensor:
    """Embed training queries [B], [B, dimension]."""
    return embed(encoder.query, tokens.queries["train"], query, tokens.pad)


def own_scores(q: Tensor, p: Tensor) -> Scores:
    """Score each query [B, d] against its own passages [B, 1 + n, d], the positive first."""
    target = torch.zeros(len(q), dtype=torch.int64, device=q.device)
    return Scores(torch.einsum("bd,bcd->bc", q, p), target)


def shared_scores(
    q: Tensor, p: Tensor, passage: Numbers, masked: list[Numbers], hardest: int | None = None
) -> Scores:
    """Score each query against all passages of the batch.

    Args:
        q: [B, d].
        p: [B, 1 + n, d], the positive first.
        passage: [B, 1 + n] document numbers.
        masked: for each query, documents that do not count against it.
        hardest: keep only so many negatives of each query, those of greatest score.
    """
    count, width = passage.shape
    target = torch.arange(0, count * width, width, device=q.device)
    wrong = _wrong(passage.reshape(-1), masked)
    wrong[np.arange(count), np.arange(0, count * width, width)] = False
    scores = q @ p.reshape(count * width, -1).T
    scores = scores.masked_fill(torch.from_numpy(wrong).to(q.device), -torch.inf)
    return Scores(scores if hardest is None else _only_hardest(scores, target, hardest), target)


def queue_scores(own: Scores, q: Tensor, keys: Tensor, documents: Numbers, masked: list[Numbers]) -> Scores:
    """Add the scores of a queue's keys [L, d], of documents [L], to a query's own."""
    if not len(documents):
        return own
    wrong = torch.from_numpy(_wrong(documents, masked)).to(q.device)
    return Scores(torch.cat([own.scores, (q @ keys.T).masked_fill(wrong, -torch.inf)], dim=1), own.target)


def _wrong(documents: Numbers, masked: list[Numbers]) -> npt.NDArray[np.bool_]:
    """Tell which documents [P] do not count against which query, [B, P]."""
    return np.stack([np.isin(documents, some) for some in masked])


def _only_hardest(scores: Tensor, target: Tensor, hardest: int) -> Tensor:
    negatives = scores.detach().scatter(1, target[:, None], -torch.inf)
    kept = negatives.topk(min(hardest, scores.shape[1] - 1), dim=1).indices
    keep = torch.zeros_like(scores, dtype=torch.bool).scatter(1, kept, True)
    keep = keep.scatter(1, target[:, None], True)
    return scores.masked_fill(~keep, -torch.inf)
