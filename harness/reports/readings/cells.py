"""The cells of a specification curve: all readings, all pairs of them, and summaries of the differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from pydantic import Field

from harness.evaluation.readings import (
    by_value,
    compare_readings,
    distinct_pairs,
    same_runs,
    summarise_readings,
)
from harness.evaluation.score_tables import score_table
from harness.reports.cells import (
    Described,
    FinishedRun,
    ReportContext,
    describe_made,
    describe_target,
    refuse_failed_rows,
)
from harness.reports.content import Content, Interval, IntervalKind, Intervals, MadeRow, MeasuredCells
from harness.reports.text import row_text
from harness.specs.kinds.readings import SEEDS_TO_ORDER, Reading, Readings


class ReadingRow(MadeRow):
    """A row under one reading: what it is called in the spec, path -> the value chosen, and its means.

    Attributes:
        same_as: name of the first reading of the row that is the same run; none of the first one.
    """

    row: str
    reading: dict[str, bool | int | float | str]
    mean: float
    per_seed: list[float]
    same_as: str | None = None


class ReadingPair(Intervals):
    """The focus under a reading minus a row under another, as a fraction.

    Attributes:
        written: names of both readings of each pair that is of these two runs; none where that is not known.
    """

    row: str
    reading: str
    other: str
    value: float
    written: list[list[str]] = Field(default=[])


class Summary(Content):
    """Counts and middle of the pairs with a row.

    Attributes:
        written: how many pairs of readings they stand for; none where readings are counted as written.
    """

    row: str
    pairs: int
    above: int
    interval: IntervalKind
    interval_above: int
    interval_below: int
    median: float
    low: float
    high: float
    written: int | None = None


class ValueMean(Content):
    """The mean difference over the pairs that have a value."""

    value: bool | int | float | str
    pairs: int
    mean: float


class ByValue(Content):
    """Mean differences by the value of a path, for the pairs with a row."""

    row: str
    path: str
    values: list[ValueMean]
    spread: float


class ReadingsCells(MeasuredCells):
    """All readings, all pairs of them, and summaries of the differences."""

    focus: str
    paths: list[str]
    readings: list[ReadingRow]
    pairs: list[ReadingPair]
    summary: list[Summary]
    by_value: list[ByValue]

    @property
    def counts_runs(self) -> bool:
        """Whether readings that are the same run are counted once."""
        return all(summary.written is not None for summary in self.summary)


def build_readings(context: ReportContext) -> ReadingsCells:
    """Return the content of cells.json, which depends on the runs only.

    Raises:
        RunError: a row failed.
    """
    refuse_failed_rows(context.failed)
    resolved, per_query = context.resolved, context.per_query
    target, column = cast("Readings", resolved.target), resolved.primary.model_dump()
    row_names = {run.row for run in context.runs}
    rows = sorted(
        (row for row in target.rows if isinstance(row, Reading) and row.name in row_names),
        key=lambda row: row.reading_of != target.focus,
    )
    readings = [
        {
            **_reading(row, context.runs_of(row.name)),
            **_figures(score_table(per_query, row.name, column)),
        }
        for row in rows
    ]
    paths = list(dict.fromkeys(path for row in rows for path in row.reading))
    first = same_runs(per_query, column, readings)
    readings = [
        reading | ({"same_as": first[reading["name"]]} if first[reading["name"]] != reading["name"] else {})
        for reading in readings
    ]
    written = compare_readings(per_query, column, readings, focus=target.focus, level=target.level)
    pairs = distinct_pairs(written, first)
    content = {
        **describe_target(context, [column]),
        "focus": target.focus,
        "paths": paths,
        "readings": readings,
        "pairs": pairs,
        "summary": summarise_readings(pairs),
        "by_value": by_value(pairs, readings, paths),
    }
    return ReadingsCells.model_validate(content)


def _reading(row: Reading, runs: Sequence[FinishedRun]) -> Described:
    return {
        "row": row.reading_of,
        "name": row.name,
        "reading": row.reading,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe,
        "sampler": runs[0].settings.preset,
        "summary": row.summary,
        **describe_made(runs),
    }


def _figures(table: pd.DataFrame) -> Described:
    """Return the mean of a reading and of each of its seeds, from scores [S, Q]."""
    per_seed = table.to_numpy(dtype=np.float64).mean(axis=1)
    return {"mean": float(per_seed.mean()), "per_seed": [float(value) for value in per_seed]}


def compared_row_names(cells: ReadingsCells) -> list[str]:
    """Return the names of the rows that the focus is compared with, in order."""
    return [summary.row for summary in cells.summary]


def sorted_pairs(cells: ReadingsCells, row: str) -> list[ReadingPair]:
    """Return the pairs with a row, sorted by difference."""
    row_pairs = [pair for pair in cells.pairs if pair.row == row]
    return sorted(row_pairs, key=lambda pair: (pair.value, pair.reading, pair.other))


def interval_of(pair: ReadingPair, kind: IntervalKind) -> Interval:
    """Return a pair's interval of the kind that a summary has."""
    interval = pair.interval(kind)
    if interval is None:
        raise ValueError(f"the pair of {pair.reading} and {pair.other} has no interval {kind}")
    return interval


def values_of_pair(cells: ReadingsCells, pair: ReadingPair) -> dict[str, list[Any]]:
    """Return path -> values of the readings that a pair stands for, in the order of the target's paths."""
    readings = {reading.name: reading.reading for reading in cells.readings}
    written = [
        {**readings[one], **readings[other]} for one, other in pair.written or [[pair.reading, pair.other]]
    ]
    return {
        path: list(dict.fromkeys(of[path] for of in written)) for path in cells.paths if path in written[0]
    }


def few_seeds(cells: ReadingsCells) -> str:
    """Return a sentence, after a space, where there are too few seeds to order readings; else nothing."""
    count = len(cells.seeds)
    many = f"{count} seed{'s' if count > 1 else ''}"
    return f" {many}: too few seeds to order readings." if count < SEEDS_TO_ORDER else ""


def row_label(cells: ReadingsCells, row: str) -> str:
    """Return the name of a row, with its kind."""
    reading = next(reading for reading in cells.readings if reading.row == row)
    return row_text(cells, reading.model_copy(update={"name": row}))
