"""A queue of past positives, embedded by a momentum copy of the document tower (MoCo, He et al. 2020)."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from harness.collections.tokens import TokenStore
from harness.encoders.dual_encoder import Tower
from harness.training.forward import Numbers, embed


class MomentumQueue:
    """Keys of past batches, first in, first out.

    Args:
        tower: the document tower that is trained.
        length: how many keys it holds.
        momentum: share of the copy that stays at each step.
    """

    def __init__(self, tower: Tower, length: int, momentum: float) -> None:
        self._tower, self._length, self._momentum = tower, length, momentum
        self._copy = copy.deepcopy(tower).requires_grad_(False).eval()
        device = next(tower.parameters()).device
        self.keys = torch.zeros((0, tower.dimension), device=device)
        self.documents: Numbers = np.zeros(0, dtype=np.int64)

    @torch.no_grad()
    def follow(self) -> None:
        """Move the copy towards the tower; before each step."""
        for mine, trained in zip(self._copy.parameters(), self._tower.parameters(), strict=True):
            mine.lerp_(trained, 1 - self._momentum)

    @torch.no_grad()
    def embed(self, tokens: TokenStore, passage: Numbers) -> Tensor:
        """Embed passages [B, 1 + n] by the copy, [B, 1 + n, dimension]."""
        keys = embed(self._copy, tokens.documents, passage.reshape(-1), tokens.pad)
        return keys.view(*passage.shape, -1)

    def push(self, keys: Tensor, documents: Numbers) -> None:
        """Add keys [B, dimension] of documents [B]; the oldest drop out."""
        self.keys = torch.cat([self.keys, keys])[-self._length :]
        self.documents = np.concatenate([self.documents, documents])[-self._length :]

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint holds."""
        weights = {f"copy.{name}": value for name, value in self._copy.state_dict().items()}
        tensors = {"keys": self.keys, "documents": torch.from_numpy(self.documents), **weights}
        return {name: value.detach().cpu().clone() for name, value in tensors.items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        self.keys = state["keys"].to(self.keys.device)
        self.documents = state["documents"].numpy()
        weights = {name.removeprefix("copy."): v for name, v in state.items() if name.startswith("copy.")}
        self._copy.load_state_dict(weights)
