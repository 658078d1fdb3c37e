"""The cells of a specification curve: all readings, all pairs of them, and summaries of the differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from harness.collections.collection import Collection
from harness.evaluation.comparison import score_table
from harness.evaluation.readings import by_value, compare_readings, summarise_readings
from harness.reports.cells import FinishedRun, describe_target, refuse_failed_rows
from harness.reports.text import Cells, row_text
from harness.specs.kinds.readings import Reading, Readings
from harness.specs.resolve import Resolved

ReadingPair = Mapping[str, Any]


def build_readings(
    resolved: Resolved,
    runs: Sequence[FinishedRun],
    failed: Mapping[str, str],
    per_query: pd.DataFrame,
    collection: Collection,
) -> Cells:
    """Return the content of cells.json, which depends on the runs only.

    Raises:
        RunError: a row failed.
    """
    refuse_failed_rows(failed)
    target, column = cast("Readings", resolved.target), resolved.primary.model_dump()
    row_names = {run.row for run in runs}
    rows = sorted(
        (row for row in target.rows if isinstance(row, Reading) and row.name in row_names),
        key=lambda row: row.reading_of != target.focus,
    )
    readings = [
        {
            **_reading(row, [run for run in runs if run.row == row.name]),
            **_figures(score_table(per_query, row.name, column)),
        }
        for row in rows
    ]
    paths = list(dict.fromkeys(path for row in rows for path in row.reading))
    pairs = compare_readings(per_query, column, readings, focus=target.focus, level=target.level)
    return {
        **describe_target(resolved, runs, [column], {resolved.dataset: collection}),
        "focus": target.focus,
        "paths": paths,
        "readings": readings,
        "pairs": pairs,
        "summary": summarise_readings(pairs),
        "by_value": by_value(pairs, readings, paths),
    }


def _reading(row: Reading, runs: Sequence[FinishedRun]) -> Cells:
    return {
        "row": row.reading_of,
        "name": row.name,
        "reading": row.reading,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe,
        "sampler": runs[0].settings.preset,
        "summary": row.summary,
        "fingerprints": [run.folder.folder.name for run in runs],
    }


def _figures(table: pd.DataFrame) -> Cells:
    """Return the mean of a reading and of each of its seeds, from scores [S, Q]."""
    per_seed = table.to_numpy(dtype=np.float64).mean(axis=1)
    return {"mean": float(per_seed.mean()), "per_seed": [float(value) for value in per_seed]}


def compared_row_names(cells: Cells) -> list[str]:
    """Return the names of the rows that the focus is compared with, in order."""
    return [summary["row"] for summary in cells["summary"]]


def sorted_pairs(cells: Cells, row: str) -> list[ReadingPair]:
    """Return the pairs with a row, sorted by difference."""
    row_pairs = [pair for pair in cells["pairs"] if pair["row"] == row]
    return sorted(row_pairs, key=lambda pair: (pair["value"], pair["reading"], pair["other"]))


def values_of_pair(cells: Cells, pair: ReadingPair) -> dict[str, Any]:
    """Return path -> value of a pair's two readings, in the order of the target's paths."""
    readings = {reading["name"]: reading["reading"] for reading in cells["readings"]}
    both = {**readings[pair["reading"]], **readings[pair["other"]]}
    return {path: both[path] for path in cells["paths"] if path in both}


def row_label(cells: Cells, row: str) -> str:
    """Return the name of a row, with its kind."""
    return row_text(
        cells, next({**reading, "name": row} for reading in cells["readings"] if reading["row"] == row)
    )
