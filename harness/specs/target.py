"""What all kinds of target share: experiments/papers/<paper>/<target>.yaml as pydantic models."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from harness.specs.base import Candidates, Name, Negatives, Seeds, Spec, absent
from harness.specs.recipe import Starts, on_dataset
from harness.specs.run_settings import TrainedRun
from harness.specs.samplers import Parameter, SamplerChoice, by_name
from harness.specs.settings import Pooling

Printed = Annotated[str, Field(pattern=r"^[+-]?[0-9]+([.][0-9]+)?$")]
"""A figure in quotes, so that every printed digit is kept."""


BM25 = "bm25"
"""What a reference row evaluates that is ranked and not trained."""


class Heading(Spec):
    """A column as printed, whatever stands in it."""

    label: Name

    def unit_in(self, unit: str) -> str:
        """Return the unit in which it is printed; that of its target, unless it has one of its own."""
        return unit


class Column(Heading):
    """A column of a table: what is printed above it, on which dataset, by which measure of ir-measures."""

    dataset: str
    measure: str


class Quoted(Heading):
    """A column of plain numbers that a paper prints and that no run here has."""

    def unit_in(self, _: str) -> str:
        """Return that it has none."""
        return "number"


class Line(Spec):
    """A row as printed, or one of ours: what the rows of all kinds of target have in common."""

    name: Name
    kind: Literal["trained", "evaluated", "published", "control", "reference", "unavailable", "counted"]
    published: list[Printed | None] | None = None
    note: str | None = None

    @property
    def written(self) -> str:
        """Name of the row as the file has it."""
        return self.name

    @property
    def summary(self) -> str:
        """What the table says of the row."""
        return self.note or ""


class Row(Line):
    """A row that is trained, evaluated or quoted; `recipe` where it differs from the shared one.

    `checkpoint` is the folder or hub id of a row that is evaluated, on all datasets or by dataset, and then
    on these alone; `pooling` is that of one that does not say it.
    `readings` stand in targets of kind readings alone: a path into the sampler's choice, such as
    ``law.gap``, and the values that it may take; the row stands for all their combinations.
    """

    kind: Literal["trained", "evaluated", "published", "control", "reference", "unavailable"]
    sampler: Annotated[SamplerChoice | None, BeforeValidator(by_name)] = None
    evaluates: str | None = Field(
        default=None, description="bm25, or a phase, <recipe>/<phase>, of a reference row"
    )
    recipe: str | None = None
    candidates: Candidates | None = Field(default=None, description="K of the row's own")
    negatives: Negatives | None = Field(default=None, description="n of the row's own")
    checkpoint: Starts | None = Field(
        default=None, description="of an evaluated row: a folder or hub id, on every dataset, or by dataset"
    )
    pooling: Pooling | None = None
    readings: dict[str, Annotated[list[Parameter], Field(min_length=1)]] = Field(default={})
    published_sampler: dict[str, Annotated[SamplerChoice, BeforeValidator(by_name)]] = Field(
        default={},
        description="by dataset, the paper's in the place of `sampler`, at a scale that trains as published",
    )

    @property
    def summary(self) -> str:
        """What the table says of the row: its note, or else what its sampler or checkpoint is."""
        if self.note or self.checkpoint is None:
            return self.note or (self.sampler.summary if self.sampler else "")
        if isinstance(self.checkpoint, str):
            return f"The checkpoint {self.checkpoint}, measured here and not trained."
        named = ", ".join(f"{start} on {dataset}" for dataset, start in self.checkpoint.items())
        return f"Checkpoints, measured here and not trained: {named}."

    @property
    def of_phase(self) -> bool:
        """Whether its run is of a phase of a recipe; that of BM25 or of a checkpoint is not."""
        return self.evaluates != BM25 and self.checkpoint is None

    def is_made_on(self, dataset: str) -> bool:
        """Whether it has runs on a dataset: one whose checkpoint is by dataset has none on others."""
        return self.checkpoint is None or on_dataset(self.checkpoint, dataset) is not None

    @property
    def phase(self) -> str | None:
        """The phase that it evaluates, ``<recipe>/<phase>``; none of a row that is trained, and of BM25."""
        return None if self.evaluates == BM25 else self.evaluates

    @property
    def seed_shift(self) -> tuple[int, int]:
        """What is added to the scale's first seeds, of the base run and of continued training."""
        return 0, 0

    def under(self, shared: Shared) -> Shared:
        """Return what all rows share, with K and n of the row's own."""
        own = {"candidates": self.candidates, "negatives": self.negatives}
        return shared.model_copy(update={key: value for key, value in own.items() if value is not None})

    def tuned(self, settings: TrainedRun) -> TrainedRun:
        """Return the settings of the row's run; tuning changes them for rows of its own."""
        return settings


class Shared(Spec):
    """What all rows of a target have in common, as the paper set it; K may be capped by the scale."""

    recipe: str
    candidates: Candidates | dict[str, Candidates] = Field(
        description="K, or K by dataset where the paper has several"
    )
    negatives: Negatives
    published_recipe: str | None = Field(
        default=None,
        exclude_if=absent,
        description="the paper's, in the place of `recipe` at a scale that trains as published",
    )

    def candidates_on(self, dataset: str) -> int:
        """Return K on a dataset."""
        return self.candidates if isinstance(self.candidates, int) else self.candidates[dataset]


def with_runs(rows: Iterable[Line]) -> list[Row]:
    """Return the rows behind which runs of ours stand."""
    return [row for row in rows if isinstance(row, Row) and row.kind not in {"published", "unavailable"}]


class Target(Spec):
    """experiments/papers/<paper>/<target>.yaml, a table or a figure: what all kinds of target share."""

    title: Name
    kind: str
    citation: Name
    unit: str
    scales: list[str] = Field(min_length=1)
    rows: Sequence[Line] = Field(min_length=1)
    notes: list[str] = Field(default=[])
    remarks: list[str] = Field(default=[])

    @property
    @abstractmethod
    def headings(self) -> Sequence[Heading]:
        """Columns as printed; a row's published figures stand in their order."""

    @property
    @abstractmethod
    def datasets(self) -> list[str]:
        """Names of the datasets, the first one first."""

    @property
    def compared_with(self) -> str | None:
        """The row that every comparison needs, so that it is made beside any row that a command names."""
        return None

    @property
    def shows_reranked(self) -> bool:
        """Whether the primary column stands a second time where a ranker reads rankings again."""
        return False

    def looking(self, settings: TrainedRun) -> TrainedRun:
        """Return the settings of a row's run, with what the target looks at while it trains."""
        return settings

    @property
    def infers_over_queries(self) -> bool:
        """Whether its cells have intervals over queries."""
        return False

    @property
    def added_to_seeds(self) -> int:
        """What is added to the first seeds of the scale, of base runs and of continued training."""
        return 0

    @property
    def settings_are_tuned(self) -> bool:
        """Whether its settings come from a tuning, so that no commit froze them."""
        return False

    @property
    def varies_numbers(self) -> bool:
        """Whether its rows are trained with other numbers than the scale's."""
        return self.settings_are_tuned

    @property
    def is_timed(self) -> bool:
        """Whether it prints seconds that training takes, which want a quiet machine."""
        return False


class Trained(Target):
    """A target whose rows are runs."""

    unit: Literal["percent", "fraction", "s"] = "percent"
    seeds: Seeds | None = None
    shared: Shared
    rows: list[Row] = Field(min_length=1)


class Measured(Trained):
    """A target whose columns are measures, one of them the primary one."""

    columns: list[Column] = Field(min_length=1)
    primary: str
    level: float = Field(default=0.95, ge=0.5, le=0.9999)

    @property
    def headings(self) -> Sequence[Heading]:
        """The measures."""
        return self.columns

    @property
    def split(self) -> str | None:
        """The queries that the printed columns are measured on; none where the dataset says which."""
        return None

    @property
    def datasets(self) -> list[str]:
        """Those of the columns, each once; only a comparison may have several."""
        return list(dict.fromkeys(column.dataset for column in self.columns))

    @property
    def infers_over_queries(self) -> bool:
        """True: a cell has intervals over the queries of its column."""
        return True
