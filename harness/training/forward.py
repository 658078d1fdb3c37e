"""From token sequences to the scores that a loss reads."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.collections.tokens import Ragged
from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.retrieval.encode import length_buckets

PLACES_PER_BUCKET = 4096
"""Token places of one bucket of a training batch: short passages are not padded to the longest."""


def embed(tower: Tower, sequences: Ragged, rows: npt.NDArray[np.int64], pad: int) -> Tensor:
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


def drawn_scores(
    encoder: DualEncoder,
    queries: Ragged,
    documents: Ragged,
    pad: int,
    query: npt.NDArray[np.int64],
    passage: npt.NDArray[np.int64],
) -> tuple[Tensor, Tensor]:
    """Score each query against its own passages.

    Args:
        encoder: both towers.
        queries: tokens of the training queries.
        documents: tokens of the documents.
        pad: token id that fills.
        query: [B] query numbers.
        passage: [B, 1 + n] document numbers, the positive first.

    Returns:
        Scores [B, 1 + n] and the positives' columns [B], all 0.
    """
    q = embed(encoder.query, queries, query, pad)
    p = embed(encoder.passage, documents, passage.reshape(-1), pad).view(*passage.shape, -1)
    return torch.einsum("bd,bcd->bc", q, p), torch.zeros(len(query), dtype=torch.int64, device=q.device)


def in_batch_scores(
    encoder: DualEncoder,
    queries: Ragged,
    documents: Ragged,
    pad: int,
    query: npt.NDArray[np.int64],
    positive: npt.NDArray[np.int64],
    labelled: list[npt.NDArray[np.int64]],
) -> tuple[Tensor, Tensor]:
    """Score each query against all positives of the batch; other labelled positives of its own are masked.

    Returns:
        Scores [B, B] and the positives' columns [B].
    """
    q = embed(encoder.query, queries, query, pad)
    p = embed(encoder.passage, documents, positive, pad)
    wrong = np.stack([np.isin(positive, some) for some in labelled])
    np.fill_diagonal(wrong, False)
    scores = (q @ p.T).masked_fill(torch.from_numpy(wrong).to(q.device), -torch.inf)
    return scores, torch.arange(len(query), device=q.device)
