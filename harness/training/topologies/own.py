"""Each query for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from harness.pieces import Piece
from harness.training.losses.scores import Scores
from harness.training.topologies.topology import Stateless

if TYPE_CHECKING:
    from torch import Tensor

    from harness.training.forward import QueryBatch


class Own(Piece, Stateless):
    """A query sees its positive and its own drawn negatives."""

    name: Literal["own"] = "own"
    summary: ClassVar[str] = "a query's own drawn negatives"
    citation: ClassVar[str] = "AR2 (Zhang et al. 2022); SimANS, released code: 16 passages a query"
    own_only: ClassVar[bool] = True
    needs_shared_towers: ClassVar[bool] = False

    def scores(self, batch: QueryBatch) -> Scores:
        """Score each query with its own passages, [B, 1 + n]."""
        return own_scores(batch.queries(), batch.passages())


def own_scores(q: Tensor, p: Tensor) -> Scores:
    """Score queries [B, d] with their own passages [B, 1 + n, d], the positive first."""
    import torch

    target = torch.zeros(len(q), dtype=torch.int64, device=q.device)
    return Scores(torch.einsum("bd,bcd->bc", q, p), target)
