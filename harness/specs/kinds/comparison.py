"""Comparison: rows compared with a baseline, and in pairs that the file names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from harness.specs.kinds.kind import Kind
from harness.specs.target import Heading, Measured, Quoted


def _two(names: list[str]) -> list[str]:
    if len(names) != 2:
        raise ValueError(f"a pair is [row, row], got {len(names)}")
    return names


Pair = Annotated[
    list[str],
    AfterValidator(_two),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}),
]
"""Two rows, the first of which is compared with the second."""


class Comparison(Measured):
    """Rows compared with a baseline in every column, and pairs of rows that are named in `compare`.

    `quoted` are columns that a paper prints beside the measures and that no run here has.
    """

    kind: Literal["comparison"]
    baseline: str
    compare: list[Pair] = Field(default=[])
    quoted: list[Quoted] = Field(default=[])

    @property
    def headings(self) -> Sequence[Heading]:
        """The measures, then what is quoted beside them."""
        return [*self.columns, *self.quoted]

    @property
    def minus(self) -> dict[str, str] | None:
        """Row -> the row that it is compared with; none where that is the baseline for all."""
        return None

    @property
    def compared_with(self) -> str:
        """The baseline."""
        return self.baseline

    @property
    def shows_reranked(self) -> bool:
        """True: the primary column stands a second time where a ranker reads rankings again."""
        return True


COMPARISON = Kind(Comparison)
