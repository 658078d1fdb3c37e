"""The debiased contrastive loss: a share of the negatives is taken to be positives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from harness.pieces import Piece
from harness.training.losses.scores import INFINITY, Scores, softplus

if TYPE_CHECKING:
    from torch import Tensor

SPAN = 2.0
"""The farthest that one cosine can lie below another."""


class DebiasedContrastive(Piece):
    """Softmax cross-entropy whose negatives, drawn uniformly, are corrected for the positives among them."""

    name: Literal["debiased-contrastive"] = "debiased-contrastive"
    summary: ClassVar[str] = "softmax cross-entropy corrected for positives among uniform negatives"
    citation: ClassVar[str] = "Chuang et al. 2020, with one positive; temperature and prior from its code"
    formula: ClassVar[str] = (
        "-log(e+ / (e+ + n g)), e = exp(s / t), g = max((mean e- - tau e+) / (1 - tau), floor)"
    )
    needs_teacher: ClassVar[bool] = False

    tau_plus: float = Field(
        default=0.1, ge=0, lt=1, description="the share of documents that are relevant to a query."
    )
    temperature: float = Field(default=0.5, ge=1e-6, le=1e6)
    floor: Literal["cosine", "positive"] = Field(
        default="cosine",
        description=(
            "least value of the corrected mean: `cosine` is exp(-1 / t), which scores of unit vectors"
            " reach at least; `positive` is exp((s+ - 2) / t), as far below the positive as cosines "
            "can lie, our reading for inner products, which have no least value."
        ),
    )

    @property
    def shift_free(self) -> bool:
        """The least cosine is a score like any other."""
        return self.floor == "positive"

    def __call__(self, scores: Scores) -> Tensor:
        """Return the mean over queries."""
        count = scores.negative.sum(dim=1)
        log_n = count.clamp(min=1).to(scores.scores.dtype).log()
        log_mean = scores.among_negatives(scores.gap() / self.temperature).logsumexp(dim=1) - log_n
        each = softplus(log_n + self._log_corrected(scores, log_mean))
        return each.masked_fill(count == 0, 0.0).mean()

    def _log_corrected(self, scores: Scores, log_mean: Tensor) -> Tensor:
        """Return log(g / e+), [B], of the logarithm of the mean of e- / e+."""
        log_tau = math.log(self.tau_plus) if self.tau_plus else -INFINITY
        log_rest = math.log1p(-self.tau_plus)
        floor = self._log_floor(scores)
        least = (floor + log_rest).logaddexp(floor.new_tensor(log_tau))
        above = (log_mean > least) & (log_mean > log_tau)
        # rows at the floor are set aside, for the logarithm below has no value there, nor a gradient
        over = log_mean.masked_fill(~above, 0.0)
        corrected = over + (-(log_tau - over).expm1()).log() - log_rest
        return corrected.where(above, floor)

    def _log_floor(self, scores: Scores) -> Tensor:
        """Return log(floor / e+), [B]."""
        positive = scores.positive(scores.scores).squeeze(1)
        least = -1.0 - positive if self.floor == "cosine" else positive.new_full(positive.shape, -SPAN)
        return least / self.temperature
