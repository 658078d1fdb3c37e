"""Kinds of target beyond comparisons of runs, and the registry of all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from harness.evaluation.costs import CostName
from harness.specs.base import Spec
from harness.specs.confirmation import Confirmation
from harness.specs.models import (
    Calibration,
    Comparison,
    Heading,
    Line,
    Measured,
    Printed,
    Readings,
    Row,
    Shared,
    Target,
    Trained,
)
from harness.specs.samplers import Parameter

NEGATIVES = "negatives"
"""The parameter of a sweep that is no path into a sampler."""


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


class CostColumn(Heading):
    """A column of seconds that training takes, of `harness.evaluation.costs`, in the unit of the paper."""

    cost: CostName
    unit: Literal["s", "ms"] = "s"


class Cost(Trained):
    """What training with each row costs, in seconds, beside a baseline."""

    kind: Literal["cost"]
    unit: Literal["s"] = "s"
    dataset: str
    columns: list[CostColumn] = Field(min_length=1)
    baseline: str

    @property
    def headings(self) -> Sequence[Heading]:
        """The costs."""
        return self.columns

    @property
    def datasets(self) -> list[str]:
        """The one dataset."""
        return [self.dataset]

    @property
    def compared_with(self) -> str:
        """The baseline."""
        return self.baseline


class Value(Spec):
    """A value of what a sweep varies, and the figures printed for it, one a column."""

    at: Parameter
    published: list[Printed | None] | None = None


class Swept(Row):
    """A row of a sweep, with the values that it is made at."""

    values: list[Value] = Field(min_length=1)


class Point(Swept):
    """A row of a sweep at one value.

    Attributes:
        point_of: name of the row as written.
        parameter: what the sweep varies.
    """

    point_of: str
    parameter: str

    @property
    def written(self) -> str:
        """Name of the row as the file has it."""
        return self.point_of

    @property
    def at(self) -> Parameter:
        """The value."""
        return self.values[0].at

    def under(self, shared: Shared) -> Shared:
        """Return what all rows share, with the row's own, and the point's n where that is what is varied."""
        own = super().under(shared)
        return own.model_copy(update={NEGATIVES: self.at}) if self.parameter == NEGATIVES else own


class Sweep(Measured):
    """Rows over the values of one parameter: ``negatives``, or a path into the sampler such as ``law.a``."""

    kind: Literal["sweep"]
    parameter: str
    costs: list[CostColumn] = Field(default=[])
    rows: list[Swept] = Field(min_length=1)  # type: ignore[assignment]

    @property
    def headings(self) -> Sequence[Heading]:
        """The measures, then the costs."""
        return [*self.columns, *self.costs]


class Curve(Measured):
    """Rows while they train: what is watched on the dev queries, over steps and over seconds."""

    kind: Literal["curve"]

    @property
    def split(self) -> str:
        """The queries that are watched."""
        return "dev"

    @property
    def compared_with(self) -> str:
        """The reference row, where every curve begins."""
        return next(row.name for row in self.rows if row.kind == "reference")


TARGETS: dict[str, type[Target]] = {
    "comparison": Comparison,
    "confirmation": Confirmation,
    "readings": Readings,
    "calibration": Calibration,
    "statistics": Statistics,
    "sweep": Sweep,
    "cost": Cost,
    "curve": Curve,
}
"""Kind of a target -> its model."""
