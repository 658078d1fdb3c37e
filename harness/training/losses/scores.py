"""What losses read, and what several of them take from it.

Specs name losses, and are read without torch: losses work by the methods of tensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

INFINITY = float("inf")


@dataclass(frozen=True)
class Scores:
    """What a loss reads.

    Attributes:
        scores: [B, P] of each query with the passages that it is trained against; -inf where masked.
        target: [B] column of each query's positive, which is never masked.
        teacher: [B, P] the ranker's scores of the same passages, where there is a ranker.
    """

    scores: Tensor
    target: Tensor
    teacher: Tensor | None = None

    @property
    def masked(self) -> Tensor:
        """Which passages do not count, [B, P]."""
        return self.scores.isneginf()

    @property
    def negative(self) -> Tensor:
        """Which passages are a query's negatives, [B, P]."""
        return (~self.masked).scatter(1, self.target[:, None], False)

    @property
    def ranker(self) -> Tensor:
        """The teacher's scores without gradient, [B, P]; -inf where the retriever's are masked.

        Raises:
            ValueError: there is no teacher.
        """
        if self.teacher is None:
            raise ValueError("a loss that needs a teacher got no scores of one")
        return self.teacher.detach().masked_fill(self.masked, -INFINITY)

    def positive(self, scores: Tensor) -> Tensor:
        """Return the positives' scores, [B, 1], of scores [B, P]."""
        return scores.gather(1, self.target[:, None])

    def gap(self) -> Tensor:
        """Return s(q, d-) - s(q, d+), [B, P]; 0 where no negative stands."""
        return (self.scores - self.positive(self.scores)).masked_fill(~self.negative, 0.0)

    def among_negatives(self, values: Tensor) -> Tensor:
        """Return values [B, P] with -inf but at negatives; all 0 in a row that has none."""
        negative = self.negative
        alone = values.masked_fill(~negative, -INFINITY)
        return alone.masked_fill(~negative.any(dim=1, keepdim=True), 0.0)

    def mean_over_negatives(self, values: Tensor) -> Tensor:
        """Return the mean of values [B, P] over each query's negatives, [B]; 0 in a row that has none."""
        negative = self.negative
        total = values.masked_fill(~negative, 0.0).sum(dim=1)
        return total / negative.sum(dim=1).clamp(min=1)


def softplus(values: Tensor) -> Tensor:
    """Return log(1 + exp(values)), exact also where the exponential overflows."""
    return values.logaddexp(values.new_zeros(()))
