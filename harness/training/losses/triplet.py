"""The triplet loss: only negatives that are hard enough count."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from harness.pieces import Piece
from harness.training.losses.scores import Scores

if TYPE_CHECKING:
    from torch import Tensor


class Triplet(Piece):
    """The hinge over the triplets of a query, its positive and a negative that matter."""

    name: Literal["triplet"] = "triplet"
    summary: ClassVar[str] = "the hinge of the hardest negative, or of those within the margin"
    citation: ClassVar[str] = "Hermans et al. 2017, batch hard and batch all; EBR, section 6.1: the hardest"
    formula: ClassVar[str] = "max(0, m + max s- - s+), or mean over d- with m + s- > s+ of m + s- - s+"
    shift_free: ClassVar[bool] = True
    needs_teacher: ClassVar[bool] = False

    margin: float = Field(default=1.0, ge=0, le=1e6)
    over: Literal["hardest", "violating"] = Field(
        default="hardest",
        description=(
            "which those are: the `hardest` negative of each query, or all that are `violating` the "
            "margin, of which the mean over the batch is taken. The mean over all triplets is the "
            "loss `hinge`."
        ),
    )

    def __call__(self, scores: Scores) -> Tensor:
        """Return the mean over queries, or over the triplets that violate the margin."""
        if self.over == "hardest":
            some = scores.negative.any(dim=1)
            hardest = scores.among_negatives(scores.gap()).amax(dim=1)
            return (hardest + self.margin).relu().masked_fill(~some, 0.0).mean()
        excess = (scores.gap() + self.margin).relu().masked_fill(~scores.negative, 0.0)
        return excess.sum() / (excess > 0).sum().clamp(min=1)
