"""Pooling: from token vectors to one embedding."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Pooling = Literal["cls", "mean", "idf-mean", "first-last"]


def pool(hidden: tuple[Tensor, ...], mask: Tensor, weight: Tensor | None, pooling: Pooling) -> Tensor:
    """Pool token vectors.

    Args:
        hidden: [B, T, H] outputs of the embedding layer and of each layer.
        mask: [B, T] 1 at tokens, 0 at padding.
        weight: [B, T] weight of each token for ``idf-mean``.
        pooling: ``cls``: the first token; ``mean``: over tokens; ``idf-mean``: weighted by IDF;
            ``first-last``: the mean over tokens of the average of first and last layer.

    Returns:
        [B, H] embeddings.
    """
    last = hidden[-1]
    if pooling == "cls":
        return last[:, 0]
    tokens = (hidden[min(1, len(hidden) - 1)] + last) / 2 if pooling == "first-last" else last
    share = mask.to(tokens.dtype)
    if pooling == "idf-mean" and weight is not None:
        share = share * weight
    total = share.sum(dim=1, keepdim=True).clamp(min=1e-9)
    return torch.matmul(share.unsqueeze(1), tokens).squeeze(1) / total
