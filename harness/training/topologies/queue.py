"""Passages of past batches."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.pieces import Piece
from harness.training.losses.scores import INFINITY, Scores
from harness.training.topologies.own import own_scores
from harness.training.topologies.topology import StateSize

if TYPE_CHECKING:
    from torch import Tensor

    from harness.encoders.dual_encoder import Embedder, TwoTowers
    from harness.training.forward import Numbers, QueryBatch


class Queue(Piece):
    """A query sees its positive, its own drawn negatives, and a queue of past positives.

    ``length`` positives of past batches, first in, first out. All passages are embedded by a copy of the
    document tower that follows the trained one, copy <- ``momentum`` copy + (1 - momentum) tower before each
    step, and no gradient goes through them: the document side learns through a tower that it shares with the
    query side, and separate towers are refused. The queue starts empty, where MoCo fills it with random
    vectors.
    """

    name: Literal["queue"] = "queue"
    summary: ClassVar[str] = "own drawn negatives and the positives of past batches"
    citation: ClassVar[str] = "MoCo (He et al. 2020), algorithm 1, moco/builder.py; momentum of Contriever"
    own_only: ClassVar[bool] = False
    needs_shared_towers: ClassVar[bool] = True

    length: int = Field(default=4096, gt=0, le=1_000_000)
    momentum: float = Field(default=0.9995, ge=0, lt=1)

    def scorer(self, encoder: TwoTowers[Any]) -> MomentumQueue:
        """Return an empty queue beside the encoder's passage tower."""
        return MomentumQueue(encoder.passage, self.length, self.momentum)

    def state_size(self, tower: int, width: int) -> StateSize:
        """Return the size of the tower's copy and of a full queue."""
        of = f"a copy of the passage tower, {self.length:,} keys x {width}"
        return StateSize(tower + self.length * width, of)


class MomentumQueue:
    """Keys of past batches, first in, first out, embedded by a copy of the document tower.

    Args:
        tower: the document tower that is trained.
        length: how many keys it holds.
        momentum: share of the copy that stays at each step.
    """

    def __init__(self, tower: Embedder, length: int, momentum: float) -> None:
        self._tower, self._length, self._momentum = tower, length, momentum
        self._copy = copy.deepcopy(tower).requires_grad_(False).eval()
        self.keys = next(tower.parameters()).new_zeros((0, tower.dimension))
        self.documents: Numbers = np.zeros(0, dtype=np.int64)

    def scores(self, batch: QueryBatch) -> Scores:
        """Score with the queue as it was before the batch, then add the batch's positives to it.

        Returns:
            Scores [B, 1 + n + keys]: a query's own passages, then the keys.
        """
        import torch

        self._follow()
        q = batch.queries()
        with torch.no_grad():
            keys = batch.passages(self._copy)
        own = own_scores(q, keys)
        scores = own.scores
        if len(self.documents):
            past = (q @ self.keys.T).masked_fill(batch.masks(self.documents), -INFINITY)
            scores = torch.cat([scores, past], dim=1)
        self._push(keys[:, 0], batch.passage[:, 0])
        return Scores(scores, own.target)

    def _follow(self) -> None:
        """Move the copy towards the tower."""
        for copied, trained in zip(self._copy.parameters(), self._tower.parameters(), strict=True):
            copied.lerp_(trained.detach(), 1 - self._momentum)

    def _push(self, keys: Tensor, documents: Numbers) -> None:
        """Add keys [B, dimension] of documents [B]; the oldest drop out."""
        import torch

        self.keys = torch.cat([self.keys, keys])[-self._length :]
        self.documents = np.concatenate([self.documents, documents])[-self._length :]

    def state(self) -> dict[str, Tensor]:
        """Return keys, their documents and the copy's weights."""
        import torch

        weights = {f"copy.{name}": value for name, value in self._copy.state_dict().items()}
        tensors = {"keys": self.keys, "documents": torch.from_numpy(self.documents), **weights}
        return {name: value.detach().cpu().clone() for name, value in tensors.items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from a checkpoint."""
        self.keys = state["keys"].to(self.keys.device)
        self.documents = state["documents"].numpy()
        weights = {name.removeprefix("copy."): v for name, v in state.items() if name.startswith("copy.")}
        self._copy.load_state_dict(weights)
