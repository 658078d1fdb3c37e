"""Several losses together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, SkipValidation, WithJsonSchema, model_validator

from harness.pieces import PIECE_IN_SCHEMA, Piece
from harness.training.losses.loss import Loss
from harness.training.losses.scores import Scores

if TYPE_CHECKING:
    from torch import Tensor


class Sum(Piece):
    """A weighted sum of losses, each a term that is logged by its name."""

    name: Literal["sum"] = "sum"
    summary: ClassVar[str] = "a weighted sum of losses"
    citation: ClassVar[str] = "AR2 (Zhang et al. 2022), section 3; its code weighs by lambda and 1 - lambda"
    formula: ClassVar[str] = "sum over terms of weight x term"

    parts: tuple[Annotated[SkipValidation[Loss], WithJsonSchema({PIECE_IN_SCHEMA: "loss"})], ...] = Field(
        min_length=2, max_length=16, strict=False
    )
    weights: tuple[Annotated[float, Field(ge=1e-6, le=1e6)], ...] = Field(
        min_length=2, max_length=16, strict=False, description="one for each of the `parts`, in their order."
    )

    @model_validator(mode="after")
    def _fit(self) -> Sum:
        if len(self.weights) != len(self.parts):
            raise ValueError(f"{len(self.weights)} weights for {len(self.parts)} parts; give one a part")
        names = [part.name for part in self.parts]
        if self.name in names:
            raise ValueError("a sum stands inside of a sum; write its parts in this one")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"'{twice}' is given twice; terms are logged by their names")
        return self

    @property
    def shift_free(self) -> bool:
        """All its terms are."""
        return all(part.shift_free for part in self.parts)

    @property
    def needs_teacher(self) -> bool:
        """One of its terms does."""
        return any(part.needs_teacher for part in self.parts)

    def terms(self, scores: Scores) -> dict[str, Tensor]:
        """Return the value of each term without its weight, by name."""
        return {part.name: part(scores) for part in self.parts}

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of terms."""
        first, *others = (
            weight * terms[part.name] for weight, part in zip(self.weights, self.parts, strict=True)
        )
        for other in others:
            first = first + other
        return first

    def __call__(self, scores: Scores) -> Tensor:
        """Return the weighted sum."""
        return self.total(self.terms(scores))


def total_and_terms(loss: Loss, scores: Scores) -> tuple[Tensor, dict[str, Tensor]]:
    """Return what is to be minimised, and the terms that it is made of, by name and without their weights."""
    if isinstance(loss, Sum):
        terms = loss.terms(scores)
        return loss.total(terms), terms
    value = loss(scores)
    return value, {loss.name: value}
