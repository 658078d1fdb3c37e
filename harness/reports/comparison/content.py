"""What cells.json of a comparison holds."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from harness.reports.content import Content, Difference, MadeRow, MeasuredCell, MeasuredCells


class ComparedCell(MeasuredCell):
    """A measure, and its difference from the baseline where the row is compared."""

    difference: Difference | None


class FalseNegatives(Content):
    """Known relevant passages among the negatives drawn.

    Attributes:
        unlabelled: share of the passages that are known to be relevant and not labelled which a visit of
            their query draws; none where there is none, or where it was not counted.
    """

    known_relevant_drawn: int
    drawn: int
    share: float
    unlabelled: float | None = None


class RankerFacts(Content):
    """A ranker beside a retriever, on held-out lists and in the last round; see `describe_ranker`."""

    lists: dict[str, float]
    training: dict[str, float]


class Recorded(Content):
    """What training recorded, means over seeds; `diagnostics` of the last round's draws."""

    false_negatives: FalseNegatives | None = None
    diagnostics: dict[str, float] | None = None
    ranker: RankerFacts | None = None


class Verdict(Content):
    """A verdict with its reason."""

    word: str
    reason: str


class ComparedRow(MadeRow, Recorded):
    """A row; on several datasets, what training recorded stands in `by_dataset`.

    Attributes:
        reason: why it could not be made.
        minus: of a confirmation, the row that it is compared with: both have the papers' settings, or both
            tuned ones.
    """

    cells: list[ComparedCell]
    reason: str | None
    verdict: Verdict | None
    by_dataset: dict[str, Recorded] | None = None
    minus: str | None = None


class Pair(Content):
    """A pair of rows that the target names, and their difference in each column."""

    rows: list[str]
    cells: list[Difference | None]


class SmallestDifference(Content):
    """Smallest detectable difference in the primary column, with a power of 0.8, before Holm.

    Attributes:
        checkpoints_range: its interval, as the standard error is estimated; not known in older cells.
        method_range: likewise.
    """

    checkpoints: float | None
    method: float | None
    checkpoints_range: list[float] | None = None
    method_range: list[float] | None = None


class Effect(Content):
    """Effect ratio and delta relative improvement of a row in a column."""

    row: str
    column: str
    effect_ratio: float | None
    delta_ri: float | None


class RankAgreement(Content):
    """Kendall's tau-b between the published and the reproduced order of rows."""

    column: str
    rows: int
    tau: float | None


class Reproducibility(Content):
    """Measures of reproducibility, or why there are none."""

    not_given: str | None
    effects: list[Effect]
    ranks: list[RankAgreement]


class ComparisonCells(MeasuredCells):
    """Rows by columns, published and reproduced, with differences from the baseline and of pairs.

    Attributes:
        same_scores: groups of rows with the same scores in all measures, on every query and seed.
    """

    baseline: str
    rows: list[ComparedRow]
    pairs: list[Pair] = Field(default=[])
    same_scores: list[list[str]] = Field(default=[])
    smallest_difference: SmallestDifference
    verdict_reason: str
    reproducibility: Reproducibility

    def recorded(self) -> Iterator[tuple[ComparedRow, str, Recorded]]:
        """Yield each row and what its training recorded; of several datasets, for each, with its title."""
        titles = {column.dataset: column.dataset_title for column in self.columns}
        for row in self.rows:
            if row.by_dataset is None:
                yield row, "", row
                continue
            for dataset, title in titles.items():
                yield row, title, row.by_dataset[dataset]

    @property
    def baselines(self) -> list[str]:
        """The rows that others are compared with; none where a confirmation compared rows across settings."""
        if self.kind != "confirmation":
            return [self.baseline]
        return list(dict.fromkeys(row.minus for row in self.rows if row.minus))

    @property
    def against(self) -> str:
        """What rows are compared with, in words."""
        return self.baselines[0] if len(self.baselines) == 1 else "the baseline of its own settings"

    def is_baseline(self, row: str) -> bool:
        """Return whether others are compared with a row."""
        return row == self.baseline or row in self.baselines

    def minus(self, row: ComparedRow) -> str | None:
        """Return the row that a row is compared with; none if it is not compared."""
        return row.minus if self.kind == "confirmation" else self.baseline

    def difference(self, row: ComparedRow, position: int) -> Difference | None:
        """Return the difference of a row from its baseline in a column; none where it is not compared."""
        return row.cells[position].difference if self.minus(row) else None

    def compared_rows(self, position: int, baseline: str) -> list[tuple[ComparedRow, Difference]]:
        """Return the rows that have a difference from a baseline in a column, each with it."""
        return [
            (row, block)
            for row in self.rows
            if self.minus(row) == baseline and (block := self.difference(row, position)) is not None
        ]
