"""Distillation: the retriever's distribution over a list is drawn to the ranker's."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from harness.pieces import Piece
from harness.training.losses.scores import Scores

if TYPE_CHECKING:
    from torch import Tensor


class Distillation(Piece):
    """How far the retriever's softmax over positive and negatives lies from the ranker's."""

    name: Literal["distillation"] = "distillation"
    summary: ClassVar[str] = "divergence of the retriever's distribution from the ranker's"
    citation: ClassVar[str] = "AR2 (Zhang et al. 2022), equations 11 and 12; SimANS, released code"
    formula: ClassVar[str] = "sum P log(P / p), or -sum P log p; P = softmax(D / t), p = softmax(s / t)"
    shift_free: ClassVar[bool] = True
    needs_teacher: ClassVar[bool] = True

    divergence: Literal["kl", "soft-cross-entropy"] = Field(
        default="kl",
        description=(
            "`kl` is 0 where they agree (SimANS code, MS-Pas and MS-Doc); `soft-cross-entropy` adds "
            "the ranker's entropy, and has the same gradient (AR2, equation 12)."
        ),
    )
    temperature: float = Field(default=1.0, ge=1e-6, le=1e6, description="divides the scores of both.")
    epsilon: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="added to the retriever's probabilities; 1e-7 in the released code.",
    )

    def __call__(self, scores: Scores) -> Tensor:
        """Return the mean over queries."""
        ranker = (scores.ranker / self.temperature).softmax(dim=1)
        log_p = (scores.scores / self.temperature).log_softmax(dim=1)
        if self.epsilon:
            log_p = (log_p.exp() + self.epsilon).log()
        each = -(ranker * log_p.masked_fill(scores.masked, 0.0)).sum(dim=1)
        if self.divergence == "kl":
            each = each + ranker.xlogy(ranker).sum(dim=1)
        return each.mean()
