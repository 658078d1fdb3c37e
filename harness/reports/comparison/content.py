"""What cells.json of a comparison holds."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from harness.reports.content import Content, Difference, MadeRow, MeasuredCell, MeasuredCells


class ComparedCell(MeasuredCell):
    """A measure, and its difference from the baseline where the row is compared."""

    difference: Difference | None


class FalseNegatives(Content):
    """Known relevant passages among the negatives drawn."""

    known_relevant_drawn: int
    drawn: int
    share: float


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
    """

    cells: list[ComparedCell]
    reason: str | None
    verdict: Verdict | None
    by_dataset: dict[str, Recorded] | None = None


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

    def compared_rows(self, position: int) -> list[ComparedRow]:
        """Return the rows that have a difference from the baseline in a column."""
        return [row for row in self.rows if row.cells[position].difference is not None]
