"""What every loss is: a frozen, validated set of parameters that makes one number of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from harness.training.losses.scores import Scores

if TYPE_CHECKING:
    from torch import Tensor


class Loss(Protocol):
    """A loss.

    Attributes:
        summary: one line for documentation.
        citation: paper and equation, or line of the released code.
        formula: of one query as text.
    """

    summary: ClassVar[str]
    citation: ClassVar[str]
    formula: ClassVar[str]

    @property
    def name(self) -> str:
        """Name in specs."""
        ...

    @property
    def shift_free(self) -> bool:
        """Whether adding a constant to all scores of a query changes nothing."""
        ...

    @property
    def needs_teacher(self) -> bool:
        """Whether it reads a ranker's scores."""
        ...

    def __call__(self, scores: Scores) -> Tensor:
        """Return the loss, a scalar: the mean over the queries, unless a parameter says otherwise."""
        ...
