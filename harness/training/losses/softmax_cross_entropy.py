"""The softmax cross-entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from harness.pieces import Piece
from harness.training.losses.scores import Scores

if TYPE_CHECKING:
    from torch import Tensor


class SoftmaxCrossEntropy(Piece):
    """The negative log-likelihood of the positive among all passages that count."""

    name: Literal["softmax-cross-entropy"] = "softmax-cross-entropy"
    summary: ClassVar[str] = "negative log-likelihood of the positive"
    citation: ClassVar[str] = "DPR (Karpukhin et al. 2020), equation 2; TriSampler, equation 2"
    formula: ClassVar[str] = "-log p+, p = softmax(s / t)"
    shift_free: ClassVar[bool] = True
    needs_teacher: ClassVar[bool] = False

    temperature: float = Field(default=1.0, ge=1e-6, le=1e6)

    def __call__(self, scores: Scores) -> Tensor:
        """Return the mean over queries."""
        from torch.nn import functional  # noqa: PLC0415  (specs are read without torch)

        return functional.cross_entropy(scores.scores / self.temperature, scores.target)
