"""The hinge over pairs of the positive and a negative."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from harness.pieces import Piece
from harness.training.losses.scores import Scores

if TYPE_CHECKING:
    from torch import Tensor


class Hinge(Piece):
    """Each negative must stay below the positive by a margin; the mean over a query's negatives."""

    name: Literal["hinge"] = "hinge"
    summary: ClassVar[str] = "each negative below the positive by a margin"
    citation: ClassVar[str] = "RankSVM (Joachims 2002); EBR (Huang et al. 2020)"
    formula: ClassVar[str] = "mean over d- of max(0, m + s- - s+)"
    shift_free: ClassVar[bool] = True
    needs_teacher: ClassVar[bool] = False

    margin: float = Field(
        default=1.0,
        ge=0,
        le=1e6,
        description="in units of the scores. EBR has cosines for scores; its margin is not known.",
    )

    def __call__(self, scores: Scores) -> Tensor:
        """Return the mean over queries."""
        return scores.mean_over_negatives((scores.gap() + self.margin).relu()).mean()
