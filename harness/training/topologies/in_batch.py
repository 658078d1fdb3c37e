"""All passages of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from harness.pieces import Piece
from harness.training.losses.scores import INFINITY, Scores
from harness.training.topologies.topology import Alias, Stateless

if TYPE_CHECKING:
    from torch import Tensor

    from harness.training.forward import QueryBatch


class InBatch(Piece, Stateless):
    """A query sees its positive and all passages of a step's batch, drawn ones too, except masked ones."""

    name: Literal["in-batch"] = "in-batch"
    summary: ClassVar[str] = "all passages of the batch"
    citation: ClassVar[str] = "DPR (Karpukhin et al. 2020), section 3.2; Huang et al. 2020 (EBR), section 6.1"
    own_only: ClassVar[bool] = False
    needs_shared_towers: ClassVar[bool] = False

    hardest: int | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description="only so many of them, those of greatest score in this step.",
    )

    among: int | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        exclude_if=lambda among: among is None,
        description="only those of so many queries in a row, as where each GPU has its own; by default all.",
    )

    def scores(self, batch: QueryBatch) -> Scores:
        """Score each query with all passages of the batch, [B, B (1 + n)]."""
        import torch

        from harness.training.memory import refuse_scores

        q, p = batch.queries(), batch.passages()
        count, width = batch.passage.shape
        refuse_scores(count, count * width, q)
        target = torch.arange(0, count * width, width, device=q.device)
        masked = batch.masks(batch.passage.reshape(-1)).scatter(1, target[:, None], False)
        if self.among is not None:
            group = torch.arange(count, device=q.device) // self.among
            masked |= group[:, None] != group.repeat_interleave(width)
        scores = (q @ p.reshape(count * width, -1).T).masked_fill(masked, -INFINITY)
        return Scores(scores if self.hardest is None else _only(self.hardest, scores, target), target)


CROSS_BATCH = Alias(
    "cross-batch",
    of=InBatch,
    summary="alias of in-batch: all passages of the step's batch, on however many processes",
    citation="RocketQA (Qu et al. 2021), section 3.3.1",
)


def _only(hardest: int, scores: Tensor, target: Tensor) -> Tensor:
    """Mask all but the positive and so many negatives of each query, those of greatest score."""
    import torch

    negatives = scores.detach().scatter(1, target[:, None], -INFINITY)
    indices = negatives.topk(min(hardest, scores.shape[1] - 1), dim=1).indices
    keep = torch.zeros_like(scores, dtype=torch.bool).scatter(1, indices, True)
    keep = keep.scatter(1, target[:, None], True)
    return scores.masked_fill(~keep, -INFINITY)
