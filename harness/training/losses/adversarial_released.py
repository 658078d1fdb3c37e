"""AR2's adversarial term as the released code computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from harness.pieces import Piece
from harness.training.losses.scores import Scores

if TYPE_CHECKING:
    from torch import Tensor

EPSILON = 1e-7
"""Added inside both logarithms."""


class AdversarialReleased(Piece):
    """Cross-entropy to targets that are not normalised: log(1 + exp(D - D+)) of each passage.

    It departs from equation 10: no importance weight, the positive is a passage like the others (its target
    is log 2), and queries are summed, so that its weight beside a mean grows with the batch.
    """

    name: Literal["adversarial-released"] = "adversarial-released"
    summary: ClassVar[str] = "AR2's adversarial term as released: no weight, positive included, summed"
    citation: ClassVar[str] = "AR2 code, wiki/co_training_wiki_train.py:198-234"
    formula: ClassVar[str] = "sum over all d of r log(p + 1e-7), r = log(sigmoid(D+ - D) + 1e-7)"
    shift_free: ClassVar[bool] = True
    needs_teacher: ClassVar[bool] = True

    batch: Literal["sum", "mean"] = Field(
        default="sum", description="`sum` over queries as released, or their `mean`."
    )

    def __call__(self, scores: Scores) -> Tensor:
        """Return the sum over queries, or their mean."""
        ranker = scores.ranker
        reward = ((scores.positive(ranker) - ranker).sigmoid() + EPSILON).log()
        log_p = (scores.scores.softmax(dim=1) + EPSILON).log()
        each = (reward * log_p).masked_fill(scores.masked, 0.0).sum(dim=1)
        return each.sum() if self.batch == "sum" else each.mean()
