"""The binary cross-entropy of each passage."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from harness.pieces import Piece
from harness.training.losses.scores import INFINITY, Scores, softplus

if TYPE_CHECKING:
    from torch import Tensor


class BCE(Piece):
    """Each passage judged by itself, relevant or not; the mean over a query's passages."""

    name: Literal["bce"] = "bce"
    summary: ClassVar[str] = "binary cross-entropy of each passage"
    citation: ClassVar[str] = "sigmoid: RocketQA (Qu et al. 2021), its ranker; softmax: SimANS, footnote 2"
    formula: ClassVar[str] = "-(log g+ + sum log(1 - g-)) / (1 + n), g = sigmoid(s) or softmax(s)"
    needs_teacher: ClassVar[bool] = False

    chance: Literal["sigmoid", "softmax"] = Field(
        default="sigmoid",
        description=(
            "what is taken for the chance to be relevant: the `sigmoid` of a score, or the `softmax` "
            "over the query's passages, of which SimANS analyses the gradients."
        ),
    )

    @property
    def shift_free(self) -> bool:
        """A sigmoid knows where 0 is."""
        return self.chance == "softmax"

    def __call__(self, scores: Scores) -> Tensor:
        """Return the mean over queries of the mean over their passages."""
        each = self._of_sigmoid(scores) if self.chance == "sigmoid" else self._of_softmax(scores)
        counted = (~scores.masked).sum(dim=1)
        return (each.masked_fill(scores.masked, 0.0).sum(dim=1) / counted).mean()

    def _of_sigmoid(self, scores: Scores) -> Tensor:
        finite = scores.scores.masked_fill(scores.masked, 0.0)
        return softplus(finite.scatter(1, scores.target[:, None], -scores.positive(finite)))

    def _of_softmax(self, scores: Scores) -> Tensor:
        """Return the losses, [B, P]; log(1 - p) of the greatest p is that of all others together."""
        log_p = scores.scores.log_softmax(dim=1)
        top = log_p.argmax(dim=1, keepdim=True)
        others = log_p.scatter(1, top, -INFINITY)
        alone = others.isneginf().all(dim=1, keepdim=True)
        rest = others.masked_fill(alone, 0.0).logsumexp(dim=1, keepdim=True)
        log_not = (-log_p.exp().scatter(1, top, 0.0)).log1p().scatter(1, top, rest)
        return -log_not.scatter(1, scores.target[:, None], scores.positive(log_p))
