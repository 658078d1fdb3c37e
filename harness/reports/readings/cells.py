"""The cells of a specification curve: all readings, all pairs of them, and summaries of the differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from harness.evaluation.comparison import score_table
from harness.evaluation.readings import by_value, compare_readings, summarise_readings
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
from harness.specs.kinds.readings import Reading, Readings


class ReadingRow(MadeRow):
    """A row under one reading: what it is called in the spec, path -> the value chosen, and its means."""

    row: str
    reading: dict[str, bool | int | float | str]
    mean: float
    per_seed: list[float]


class ReadingPair(Intervals):
    """The focus under a reading minus a row under another, as a fraction."""

    row: str
    reading: str
    other: str
    value: float


class Summary(Content):
    """Counts and middle of the pairs with a row."""

    row: str
    pairs: int
    above: int
    interval: IntervalKind
    interval_above: int
    interval_below: int
    median: float
    low: float
    high: float


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
    pairs = compare_readings(per_query, column, readings, focus=target.focus, level=target.level)
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


def values_of_pair(cells: ReadingsCells, pair: ReadingPair) -> dict[str, Any]:
    """Return path -> value of a pair's two readings, in the order of the target's paths."""
    readings = {reading.name: reading.reading for reading in cells.readings}
    both = {**readings[pair.reading], **readings[pair.other]}
    return {path: both[path] for path in cells.paths if path in both}


def row_label(cells: ReadingsCells, row: str) -> str:
    """Return the name of a row, with its kind."""
    reading = next(reading for reading in cells.readings if reading.row == row)
    return row_text(cells, reading.model_copy(update={"name": row}))
