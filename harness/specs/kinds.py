"""Kinds of target beyond comparisons of runs, and the registry of all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from harness.specs.models import Calibration, Comparison, Heading, Line, Readings, Target


class Count(Heading):
    """A column of counts: queries of a split, or documents."""

    count: Literal["train", "dev", "test", "documents"]


class Counted(Line):
    """A dataset's row; `dataset` where it has a collection here, which is counted."""

    kind: Literal["counted", "published", "unavailable"]
    dataset: str | None = None


class Statistics(Target):
    """Sizes of datasets, published beside those of the collections that stand in for them."""

    kind: Literal["statistics"]
    unit: Literal["count"] = "count"
    columns: list[Count] = Field(min_length=1)
    rows: list[Counted] = Field(min_length=1)

    @property
    def headings(self) -> Sequence[Heading]:
        """The counts."""
        return self.columns

    @property
    def datasets(self) -> list[str]:
        """Those of the rows, each once."""
        return list(dict.fromkeys(row.dataset for row in self.rows if row.dataset))


TARGETS: dict[str, type[Target]] = {
    "comparison": Comparison,
    "readings": Readings,
    "calibration": Calibration,
    "statistics": Statistics,
}
"""Kind of a target -> its model."""
