"""The cells of a comparison: rows by columns, published and reproduced, with differences to the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pandas as pd

from harness.collections.collection import Collection
from harness.evaluation.comparison import compare_rows, reproduced
from harness.reports.cells import Cells, FinishedRun, describe_target
from harness.specs.models import Comparison, Row
from harness.specs.resolve import Resolved


def comparison_scores(resolved: Resolved, per_query: pd.DataFrame) -> pd.DataFrame:
    """Return the scores by the measures that the table shows, of all splits."""
    wanted = {column.measure for column in resolved.columns}
    return per_query[per_query["measure"].isin(wanted)]


def build_comparison(
    resolved: Resolved, runs: Sequence[FinishedRun], per_query: pd.DataFrame, collection: Collection
) -> Cells:
    """Return the content of cells.json; the same runs give the same cells."""
    target = cast("Comparison", resolved.target)
    columns = [column.model_dump() for column in resolved.columns]
    compared = {
        row.name: resolved.published(row)
        for row in target.rows
        if row.kind not in {"reference", "published", "unavailable"}
    }
    comparison = compare_rows(
        per_query, columns, compared, baseline=target.baseline, primary=target.primary, level=target.level
    )
    rows = []
    for row in target.rows:
        own = [run for run in runs if run.row == row.name]
        published = resolved.published(row)
        blocks = comparison.differences.get(row.name, [None] * len(columns))
        cells = [
            _cell(reproduced(per_query, row.name, column, target.level), figure, block)
            for column, figure, block in zip(columns, published, blocks, strict=True)
        ]
        rows.append(_row(row, own, cells))
    return {
        **describe_target(resolved, runs, columns, collection),
        "baseline": target.baseline,
        "rows": rows,
        "smallest_difference": comparison.smallest_difference,
    }


def _row(row: Row, runs: Sequence[FinishedRun], cells: list[Cells]) -> Cells:
    results = [run.folder.result() for run in runs]
    drawn = sum(result["drawn"] for result in results)
    known = sum(result["known_relevant_drawn"] for result in results)
    diagnosed = [result["diagnostics"] for result in results if result["diagnostics"]]
    sampler = runs[0].settings.sampler if runs else None
    return {
        "name": row.name,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe if runs and row.sampler else None,
        "sampler": sampler.preset if sampler else None,
        "summary": row.summary,
        "fingerprints": [run.folder.folder.name for run in runs],
        "cells": cells,
        "false_negatives": {"known_relevant_drawn": known, "drawn": drawn, "share": known / drawn}
        if drawn
        else None,
        "diagnostics": _mean(diagnosed) if diagnosed else None,
    }


def _mean(diagnosed: list[dict[str, float]]) -> dict[str, float]:
    """Mean over seeds of the last round's diagnostics."""
    return {key: sum(d[key] for d in diagnosed) / len(diagnosed) for key in sorted(diagnosed[0])}


def _cell(made: Cells | None, figure: Cells | None, difference: Cells | None) -> Cells:
    state = "ok" if made else "published-only" if figure else "missing"
    return {"state": state, "published": figure, "reproduced": made, "difference": difference}
