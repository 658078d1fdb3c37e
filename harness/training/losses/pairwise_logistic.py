"""The logistic loss over pairs of the positive and a negative."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from harness.pieces import Piece
from harness.training.losses.scores import Scores, softplus

if TYPE_CHECKING:
    from torch import Tensor


class PairwiseLogistic(Piece):
    """RankNet's loss: minus the log-chance that the positive beats a negative."""

    name: Literal["pairwise-logistic"] = "pairwise-logistic"
    summary: ClassVar[str] = "logistic loss over pairs, unweighted or weighted by reciprocal rank"
    citation: ClassVar[str] = "RankNet (Burges et al. 2005); STAR and ADORE (Zhan et al. 2021), released code"
    formula: ClassVar[str] = "mean over d- of w log(1 + exp(s- - s+)), w = 1 or |1/rank+ - 1/rank-|"
    shift_free: ClassVar[bool] = True
    needs_teacher: ClassVar[bool] = False

    weight: Literal["none", "reciprocal-rank"] = Field(
        default="none",
        description=(
            "`reciprocal-rank` weighs a pair by what exchanging its two passages would change in "
            "reciprocal rank, as ADORE does; the ranks are those in the list, and have no gradient."
        ),
    )
    over: Literal["queries", "pairs"] = Field(
        default="queries",
        description=(
            "the mean over a query's pairs and then over `queries` (ADORE), or over all `pairs` of "
            "the batch, all equal (STAR); they differ where queries have different numbers of negatives."
        ),
    )

    def __call__(self, scores: Scores) -> Tensor:
        """Return the mean over queries, or over pairs."""
        pairs = softplus(scores.gap()).masked_fill(~scores.negative, 0.0)
        if self.weight == "reciprocal-rank":
            pairs = pairs * _change_in_reciprocal_rank(scores)
        if self.over == "queries":
            return scores.mean_over_negatives(pairs).mean()
        return pairs.sum() / scores.negative.sum().clamp(min=1)


def _change_in_reciprocal_rank(scores: Scores) -> Tensor:
    """Return |1/rank(d+) - 1/rank(d)|, [B, P]; masked passages rank last."""
    order = scores.scores.detach().argsort(dim=1, descending=True, stable=True)
    reciprocal = 1.0 / (order.argsort(dim=1) + 1).to(scores.scores.dtype)
    return (reciprocal - scores.positive(reciprocal)).abs()
