"""Copies of a model's tensors, and their hash."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn

StateDict = dict[str, Tensor]


def copy_weights(module: nn.Module) -> StateDict:
    """Return copies of all tensors of a module on the CPU, by name."""
    return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}


def fingerprint_of(weights: StateDict) -> str:
    """Return a hash of names and values, 16 hex digits."""
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        digest.update(name.encode())
        digest.update(value.view(torch.uint8).numpy().tobytes() if value.ndim else value.numpy().tobytes())
    return digest.hexdigest()[:16]
