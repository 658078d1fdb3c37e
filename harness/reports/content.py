"""What cells.json holds: the parts that all kinds of target share, as pydantic models.

A key that does not apply to a table is left out of its file: `None` by default, and never written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION = 1
"""Version of what cells.json holds; results of another one are made again."""

OWN_TABLE = "your own table"
"""In the place of a verdict, where no paper prints figures for what was measured."""

IntervalKind = Literal["checkpoints", "method"]
"""Over queries, for these checkpoints; or over queries and seeds, for the method."""


class Content(BaseModel):
    """A part of cells.json; keys that are not known are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def as_json(self) -> dict[str, Any]:
        """Return it as cells.json holds it, without the keys that do not apply."""
        return self.model_dump(mode="json", exclude_unset=True)


class Published(Content):
    """A figure as printed, and its value as a fraction, in seconds, or as a count."""

    printed: str
    value: float
    unit: str


class Ends(Content):
    """The two ends of an interval; none of a single run."""

    low: float | None
    high: float | None


class Interval(Content):
    """A confidence interval at a level, with its degrees of freedom.

    Attributes:
        same: of a difference, whether no query differs at any seed; not known in older cells.
    """

    low: float
    high: float
    level: float
    df: float
    same: bool = False


class Intervals(Content):
    """Both intervals of a mean or a difference; none where there are too few seeds, or no figure."""

    checkpoints: Interval | None
    method: Interval | None

    def interval(self, kind: IntervalKind) -> Interval | None:
        """Return one of the two."""
        return self.method if kind == "method" else self.checkpoints


class Reproduced(Intervals):
    """A row's mean in a column, as a fraction, with its standard deviation over seeds."""

    mean: float
    sd: float | None
    per_seed: list[float]


class PublishedDifference(Content):
    """The difference of two published figures, with the range implied by their rounding."""

    value: float
    low: float
    high: float


class Difference(Intervals):
    """A row's difference from another, as a fraction; `holm_p` and `detectable` in the primary column.

    Attributes:
        power: of finding the published difference, before Holm; not known in older cells.
    """

    value: float | None
    published: PublishedDifference | None
    holm_p: float | None
    detectable: float | None
    power: float | None = None


class Seconds(Ends):
    """Median and quartiles over runs, in seconds."""

    median: float
    per_run: list[float]


class Cell(Content):
    """A figure of a table: how it stands, and what the paper prints."""

    state: str
    published: Published | None


class MeasuredCell(Cell):
    """A measure, published and reproduced."""

    reproduced: Reproduced | None


class SecondsCell(Cell):
    """Seconds, published and recorded."""

    reproduced: Seconds | None


class MeasuredColumn(Content):
    """A column of measures; `published` where the paper prints it."""

    label: str
    dataset: str
    dataset_title: str
    measure: str
    split: str
    published: bool


class SecondsColumn(Content):
    """A column of seconds, in the unit of the paper."""

    label: str
    cost: str
    unit: str


class NamedRow(Content):
    """A row as printed."""

    name: str
    kind: str
    summary: str


class MadeRow(NamedRow):
    """A row with the recipe and sampler of its runs, and their fingerprints.

    Attributes:
        filled: share of the negatives that its sampler's law did not choose, over all runs: fillings and
            repetitions in rows with too few candidates of positive weight; none where it is not known.
    """

    recipe: str | None
    sampler: str | None
    fingerprints: list[str]
    filled: float | None = None


class NoteText(Content):
    """An entry of a paper's register of discrepancies."""

    id: str
    severity: str
    text: str


class CollectionFacts(Content):
    """A collection: its content's fingerprint, number of documents, and of queries by split.

    Attributes:
        account: what a reader must know of it, a sentence each.
    """

    name: str
    fingerprint: str
    documents: int
    queries: dict[str, int]
    account: list[str] = []


class Machine(Content):
    """A machine that made runs."""

    cpu: str
    cores: int
    threads: int
    gpus: list[str]


class OwnTable(Content):
    """What a command gave in the place of a scale's collections and encoder.

    Attributes:
        options: of the command, each with a blank before it.
        place: folder of the results below those of a user.
    """

    options: str
    place: str


class Cells(Content):
    """What cells.json of all kinds of target hold.

    Attributes:
        version: `VERSION` of the harness that wrote it.
        source: the citation of the table or figure.
        unit: in which the paper prints its figures; those here are fractions, seconds or counts.
        verdict: on the table.
        collection: of a target with one dataset; one with several has `collections`, by dataset.
        baseline: the row that others are compared with, where there is one.
        own: of a table that was made on a collection or an encoder of one's own.
    """

    version: int
    kind: str
    target: str
    paper: str
    title: str
    source: str
    scale: str
    unit: str
    reading_notes: list[str]
    notes: list[NoteText]
    verdict: str
    simulation: bool
    collection: CollectionFacts | None = None
    collections: dict[str, CollectionFacts] | None = None
    baseline: str | None = None
    seeds: list[int] = Field(default=[])
    own: OwnTable | None = None

    @property
    def named_collections(self) -> list[CollectionFacts]:
        """The collections behind the figures."""
        return list(self.collections.values()) if self.collections else [self.collection_of("")]

    def is_baseline(self, row: str) -> bool:
        """Return whether other rows are compared with a row."""
        return row == self.baseline

    def collection_of(self, dataset: str | None) -> CollectionFacts:
        """Return the collection that serves a dataset."""
        collection = self.collections[dataset or ""] if self.collections else self.collection
        if collection is None:
            raise ValueError(f"the cells of {self.target} name no collection")
        return collection

    @property
    def dataset_titles(self) -> list[str]:
        """Titles of the datasets whose figures are shown, each once."""
        return []


class RunCells(Cells):
    """What cells.json of targets whose rows are runs hold.

    Attributes:
        provider: measure -> what computed it.
        settings_commit: that froze the settings before samplers were compared, where one is recorded.
        stages: stage of a run -> its version when the runs were trained; empty where it was not recorded.
    """

    columns: list[MeasuredColumn]
    provider: dict[str, str]
    settings_commit: str | None
    stages: dict[str, int] = {}

    @property
    def named_collections(self) -> list[CollectionFacts]:
        """The collections behind the figures, in the order of the columns."""
        if not self.collections:
            return super().named_collections
        datasets = [column.dataset for column in self.columns if column.dataset in self.collections]
        return [self.collections[name] for name in dict.fromkeys([*datasets, *self.collections])]

    @property
    def dataset_titles(self) -> list[str]:
        """Titles of the datasets of the printed columns, or of all where none is printed."""
        printed = [column for column in self.columns if column.published]
        return list(dict.fromkeys(column.dataset_title for column in printed or self.columns))


class MeasuredCells(RunCells):
    """What cells.json of targets whose columns are measures hold."""

    primary: str
    level: float

    @property
    def primary_place(self) -> int:
        """Position of the primary column."""
        return [column.label for column in self.columns].index(self.primary)

    def places(self, *, published: bool) -> list[int]:
        """Return the positions of the columns that the paper prints, or of the further ones."""
        return [place for place, column in enumerate(self.columns) if column.published == published]


def printed_figures(rows: Sequence[Any], position: int | None = None) -> list[Published]:
    """Return the published figures of rows with cells, in a column, or in all."""
    cells = [cell for row in rows for cell in (row.cells if position is None else [row.cells[position]])]
    return [cell.published for cell in cells if cell.published]
