"""From token sequences to the embeddings that a topology scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.collections.tokens import Ragged, TokenStore
from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.retrieval.encode import length_buckets

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


@dataclass(frozen=True)
class QueryBatch:
    """Queries of a step with their passages, to be embedded and scored.

    Attributes:
        encoder: the retriever in training.
        tokens: of the collection.
        query: [B] numbers of training queries.
        passage: [B, 1 + n] document numbers, each query's positive first.
        masked: for each query, the documents that do not count against it.
    """

    encoder: DualEncoder
    tokens: TokenStore
    query: Numbers
    passage: Numbers
    masked: list[Numbers]

    def queries(self) -> Tensor:
        """Embed the queries, [B, dimension]."""
        return embed(self.encoder.query, self.tokens.queries["train"], self.query, self.tokens.pad)

    def passages(self, tower: Tower | None = None) -> Tensor:
        """Embed the passages, by the encoder's tower or by another one, [B, 1 + n, dimension]."""
        flat = self.passage.reshape(-1)
        embedded = embed(tower or self.encoder.passage, self.tokens.documents, flat, self.tokens.pad)
        return embedded.view(*self.passage.shape, -1)

    def masks(self, documents: Numbers) -> Tensor:
        """Return which documents [P] do not count against which query, [B, P]."""
        masks = np.stack([np.isin(documents, masked) for masked in self.masked])
        return torch.from_numpy(masks).to(next(self.encoder.parameters()).device)
