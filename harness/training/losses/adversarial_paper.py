"""AR2's adversarial term as the paper derives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from harness.pieces import Piece
from harness.training.losses.scores import Scores, softplus

if TYPE_CHECKING:
    from torch import Tensor


class AdversarialPaper(Piece):
    """The expected log-chance that the ranker prefers the positive to a negative of the retriever's.

    Minimising it moves the retriever's weight to negatives that the ranker takes for the positive. p is over
    the negatives alone, so that nothing here raises the positive's score: that is left to other terms.
    """

    name: Literal["adversarial-paper"] = "adversarial-paper"
    summary: ClassVar[str] = "AR2's adversarial term with its importance weight, over negatives alone"
    citation: ClassVar[str] = "AR2 (Zhang et al. 2022), equations 9 and 10"
    formula: ClassVar[str] = "sum over d- of p r, p = softmax(tau s-), r = log sigmoid(tau (D+ - D-))"
    shift_free: ClassVar[bool] = True
    needs_teacher: ClassVar[bool] = True

    tau: float = Field(default=1.0, ge=1e-6, le=1e6, description="multiplies the scores of both.")

    def __call__(self, scores: Scores) -> Tensor:
        """Return the mean over queries."""
        ranker = scores.ranker
        reward = -softplus(self.tau * (ranker - scores.positive(ranker)))
        share = scores.among_negatives(self.tau * scores.scores).softmax(dim=1)
        return (share * reward.masked_fill(~scores.negative, 0.0)).sum(dim=1).mean()
