"""The cells of a comparison: rows by columns, published and reproduced, and differences from the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import pandas as pd

from harness.collections.built_in import stand_in
from harness.collections.collection import Collection
from harness.evaluation.comparison import compare_rows, reproduced
from harness.evaluation.reproducibility import measure_reproducibility
from harness.evaluation.verdicts import judge
from harness.reports.cells import FinishedRun, describe_target
from harness.reports.comparison.ranker import describe_ranker
from harness.reports.text import Cells
from harness.specs.models import Comparison, Row, with_runs
from harness.specs.resolve import Resolved
from harness.specs.settings import RERANKED

NOT_COMPARED = ("reference", "published", "unavailable")
"""Kinds of row that are not compared with the baseline."""


def comparison_scores(resolved: Resolved, per_query: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of the table's measures, on all splits.

    A run that trains a ranker ranks with it, so its rankings also count as reranked ones.
    """
    measures = {column.measure for column in resolved.columns}
    shown = per_query[per_query["measure"].isin(measures)]
    rankers = [row.name for row in with_runs(resolved.target.rows) if row.evaluates == "ranker"]
    if not rankers:
        return shown
    ranker_scores = shown[shown["row"].isin(rankers)]
    return pd.concat(
        [shown, ranker_scores.assign(split=ranker_scores["split"] + RERANKED)], ignore_index=True
    )


def build_comparison(
    resolved: Resolved,
    runs: Sequence[FinishedRun],
    failed: Mapping[str, str],
    per_query: pd.DataFrame,
    collection: Collection,
) -> Cells:
    """Return the content of cells.json, which depends on the runs only.

    Args:
        resolved: the target, resolved at a scale.
        runs: finished runs of the rows.
        failed: row -> reason of its failure; its runs are not counted.
        per_query: scores of the runs, as `comparison_scores` returns them.
        collection: collection of the runs.
    """
    target = cast("Comparison", resolved.target)
    columns = [column.model_dump() for column in resolved.columns]
    compared = {row.name: resolved.published(row) for row in target.rows if row.kind not in NOT_COMPARED}
    comparison = compare_rows(
        per_query, columns, compared, baseline=target.baseline, primary=target.primary, level=target.level
    )
    rows = []
    for row in target.rows:
        row_runs = [run for run in runs if run.row == row.name]
        published = resolved.published(row)
        blocks = comparison.differences.get(row.name, [None] * len(columns))
        state = _state(row, failed, row_runs)
        cells = [
            _cell(state, reproduced(per_query, row.name, column, target.level), figure, block)
            for column, figure, block in zip(columns, published, blocks, strict=True)
        ]
        rows.append(_row(row, row_runs, cells) | {"reason": failed.get(row.name)})
    return with_verdicts(
        {
            **describe_target(resolved, runs, columns, collection),
            "baseline": target.baseline,
            "rows": rows,
            "smallest_difference": comparison.smallest_difference,
        }
    )


def with_verdicts(cells: Cells) -> Cells:
    """Return the cells with verdicts on rows and table, and with the reproducibility measures."""
    columns, rows, baseline = cells["columns"], cells["rows"], cells["baseline"]
    place = [column["label"] for column in columns].index(cells["primary"])
    substitute = stand_in(cells["collection"]["name"], columns[place]["dataset_title"])
    differences = {
        row["name"]: row["cells"][place]["difference"]
        for row in rows
        if row["kind"] not in NOT_COMPARED and row["name"] != baseline
    }
    row_verdicts, table_verdict = judge(
        differences, level=cells["level"], scale=cells["scale"], stand_in=substitute
    )
    return cells | {
        "rows": [row | {"verdict": row_verdicts.get(row["name"])} for row in rows],
        "verdict": table_verdict["word"],
        "verdict_reason": table_verdict["reason"],
        "reproducibility": measure_reproducibility(columns, rows, baseline, substitute),
    }


def _row(row: Row, runs: Sequence[FinishedRun], cells: list[Cells]) -> Cells:
    results = [run.folder.result() for run in runs]
    drawn = sum(result["drawn"] for result in results)
    known_relevant = sum(result["known_relevant_drawn"] for result in results)
    diagnostics = [result["diagnostics"] for result in results if result["diagnostics"]]
    sampler = runs[0].settings.sampler if runs else None
    return {
        "name": row.name,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe if runs and row.sampler else None,
        "sampler": sampler.preset if sampler else None,
        "summary": row.summary,
        "fingerprints": [run.folder.folder.name for run in runs],
        "cells": cells,
        "false_negatives": {
            "known_relevant_drawn": known_relevant,
            "drawn": drawn,
            "share": known_relevant / drawn,
        }
        if drawn
        else None,
        "diagnostics": _mean(diagnostics) if diagnostics else None,
        **describe_ranker(runs),
    }


def _mean(diagnostics: list[dict[str, float]]) -> dict[str, float]:
    """Mean over seeds of the last round's diagnostics."""
    return {key: sum(d[key] for d in diagnostics) / len(diagnostics) for key in sorted(diagnostics[0])}


def _state(row: Row, failed: Mapping[str, str], runs: Sequence[FinishedRun]) -> str:
    """Return the state of a row's cells that have no figure."""
    if row.name in failed:
        return "failed"
    never = {"published": "published-only", "unavailable": "unavailable"}
    return "not-due" if runs else never.get(row.kind, "missing")


def _cell(state: str, reproduced: Cells | None, figure: Cells | None, difference: Cells | None) -> Cells:
    return {
        "state": "ok" if reproduced else state,
        "published": figure,
        "reproduced": reproduced,
        "difference": difference,
    }
