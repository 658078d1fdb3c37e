"""The learning rate as a function of the step, so that a resumed run needs no scheduler state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn


def linear_schedule(step: int, steps: int, lr_warmup_share: float) -> float:
    """Return the factor on the learning rate: a linear rise, then a linear decay to 0."""
    rising = lr_warmup_share * steps
    if step < rising:
        return (step + 1) / max(rising, 1.0)
    return max(0.0, (steps - step) / max(steps - rising, 1.0))


def adamw(model: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """Return AdamW without decay on biases and normalisation weights, as BERT is trained."""
    return torch.optim.AdamW(
        list(_groups(model, weight_decay)), lr=learning_rate, eps=1e-8, weight_decay=weight_decay, fused=True
    )


def _groups(model: nn.Module, weight_decay: float) -> Iterator[dict[str, Any]]:
    named = list(model.named_parameters())
    yield {"params": [p for _, p in named if p.ndim > 1], "weight_decay": weight_decay}
    yield {"params": [p for _, p in named if p.ndim <= 1], "weight_decay": 0.0}
