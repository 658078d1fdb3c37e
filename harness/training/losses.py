"""Losses over the scores of one positive and its negatives."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def softmax_cross_entropy(scores: Tensor, target: Tensor, temperature: float = 1.0) -> Tensor:
    """Return the mean of -log softmax(scores / temperature) at the positive (DPR, equation 2).

    Args:
        scores: [B, C] inner products of each query with its C passages; -inf where masked.
        target: [B] column of each query's positive.
        temperature: divides the scores.
    """
    return functional.cross_entropy(scores / temperature, target)
