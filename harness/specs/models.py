"""Papers and targets as pydantic models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveInt

from harness.specs.base import Spec
from harness.specs.samplers import Parameter, SamplerChoice, by_name

Printed = Annotated[str, Field(pattern=r"^[+-]?[0-9]+([.][0-9]+)?$")]
"""A figure in quotes, so that every printed digit is kept."""


class Note(Spec):
    """An entry of a paper's register of discrepancies."""

    id: str
    severity: Literal["low", "medium", "high"]
    text: str


class Paper(Spec):
    """experiments/<paper>/paper.yaml."""

    title: str
    citation: str
    code: str
    notes: list[Note] = Field(default=[])


class Column(Spec):
    """A column of a table: what is printed above it, on which dataset, by which measure of ir-measures."""

    label: str
    dataset: str
    measure: str


class Row(Spec):
    """A row as printed, or one of ours; `recipe` where it differs from the shared one.

    `readings` stand in targets of kind readings alone: a path into the sampler's choice, such as
    ``with.gap``, and the values that it may take; the row stands for all their combinations.
    """

    name: str
    kind: Literal["trained", "published", "control", "reference", "unavailable"]
    sampler: Annotated[SamplerChoice | None, BeforeValidator(by_name)] = None
    evaluates: Literal["bm25", "warm-up"] | None = None
    recipe: str | None = None
    published: list[Printed | None] | None = None
    note: str | None = None
    readings: dict[str, Annotated[list[Parameter], Field(min_length=1)]] = Field(default={})

    @property
    def written(self) -> str:
        """Name of the row as the file has it."""
        return self.name

    @property
    def summary(self) -> str:
        """What the table says of the row: its note, or else what its sampler says of itself."""
        return self.note or (self.sampler.summary if self.sampler else "")

    @property
    def seed_shift(self) -> tuple[int, int]:
        """What is added to the scale's first seeds, of the warm-up and of continued training."""
        return 0, 0


class Reading(Row):
    """A row under one reading of what its paper leaves open.

    Attributes:
        reading_of: name of the row as written.
        reading: path -> the value chosen.
    """

    reading_of: str
    reading: dict[str, Parameter]

    @property
    def written(self) -> str:
        """Name of the row as the file has it."""
        return self.reading_of


class Side(Row):
    """One side of a pair that differ in the seeds of continued training alone.

    Attributes:
        side_of: name of the row as written.
        pair: number of the pair, from 1.
        side: which of the two.
    """

    side_of: str
    pair: int
    side: Literal["A", "B"]

    @property
    def written(self) -> str:
        """Name of the row as the file has it."""
        return self.side_of

    @property
    def seed_shift(self) -> tuple[int, int]:
        """What is added to the scale's first seeds, of the warm-up and of continued training.

        Where a scale's seeds begin at W and C, pair p and seed s (from 0) have the warm-up W + 1000 p + s for
        both sides, and continue it with C + 1000 p + s for side A, C + 1000 p + 500 + s for side B. With our
        W = 100 and C = 200, no two of all these are the same below 100 seeds, and none is a seed of a table.
        """
        return 1000 * self.pair, 1000 * self.pair + (500 if self.side == "B" else 0)


class Shared(Spec):
    """What all rows of a target have in common, as the paper set it; K may be capped by the scale."""

    recipe: str
    candidates: PositiveInt
    negatives: PositiveInt


class Target(Spec):
    """experiments/<paper>/<target>.yaml, a table or a figure: what targets of every kind have in common."""

    title: str
    kind: str
    source: str
    unit: Literal["percent", "fraction", "s"] = "percent"
    columns: list[Column] = Field(min_length=1)
    primary: str
    level: float = Field(default=0.95, gt=0, lt=1)
    scales: list[str] = Field(min_length=1)
    seeds: PositiveInt | None = None
    shared: Shared
    rows: list[Row] = Field(min_length=1)
    notes: list[str] = Field(default=[])
    remarks: list[str] = Field(default=[])

    @property
    def compared_with(self) -> str | None:
        """The row that every comparison needs, so that it is made beside any row that a command names."""
        return None


class Comparison(Target):
    """Rows compared with a baseline in every column."""

    kind: Literal["comparison"]
    baseline: str

    @property
    def compared_with(self) -> str:
        """The baseline."""
        return self.baseline


class Readings(Target):
    """One row compared with the others under every combination of readings: a specification curve."""

    kind: Literal["readings"]
    focus: str

    @property
    def compared_with(self) -> str:
        """The row whose readings are compared with those of the others."""
        return self.focus


class Calibration(Target):
    """A row compared with itself, pair by pair: what intervals cover where the true difference is 0."""

    kind: Literal["calibration"]
    pairs: PositiveInt


TARGETS: dict[str, type[Target]] = {
    "comparison": Comparison,
    "readings": Readings,
    "calibration": Calibration,
}
"""Kind of a target -> its model."""
