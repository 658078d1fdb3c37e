"""The cells of a specification curve: every reading, every pair of them, and how the differences lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pandas as pd

from harness.collections.collection import Collection
from harness.evaluation.comparison import score_table
from harness.evaluation.readings import by_value, compare_readings, summarise_readings
from harness.reports.cells import Cells, FinishedRun, all_made, describe_target
from harness.specs.models import Reading, Readings
from harness.specs.resolve import Resolved


def build_readings(
    resolved: Resolved,
    runs: Sequence[FinishedRun],
    failed: Mapping[str, str],
    per_query: pd.DataFrame,
    collection: Collection,
) -> Cells:
    """Return the content of cells.json; the same runs give the same cells.

    Raises:
        RunError: a row failed.
    """
    all_made(failed)
    target, column = cast("Readings", resolved.target), resolved.primary.model_dump()
    made = {run.row for run in runs}
    rows = sorted(
        (row for row in target.rows if isinstance(row, Reading) and row.name in made),
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
    sampler = runs[0].settings.sampler
    return {
        "row": row.reading_of,
        "name": row.name,
        "reading": row.reading,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe,
        "sampler": sampler.preset if sampler else None,
        "summary": row.summary,
        "fingerprints": [run.folder.folder.name for run in runs],
    }


def _figures(table: pd.DataFrame) -> Cells:
    """The mean of a reading and of each of its seeds, of scores [S, Q]."""
    per_seed = table.to_numpy(dtype=np.float64).mean(axis=1)
    return {"mean": float(per_seed.mean()), "per_seed": [float(value) for value in per_seed]}
