"""The cells of a comparison: rows by columns, published and reproduced, and differences from the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import pandas as pd

from harness.collections.built_in import stand_in
from harness.evaluation.comparison import compare_rows, reproduced
from harness.evaluation.reproducibility import measure_reproducibility
from harness.evaluation.score_tables import same_scores
from harness.evaluation.verdicts import judge
from harness.reports.cells import Described, FinishedRun, ReportContext, describe_made, describe_target
from harness.reports.comparison.content import ComparisonCells
from harness.reports.comparison.ranker import describe_ranker
from harness.reports.content import OWN_TABLE
from harness.reports.footnotes import NOT_PRINTED
from harness.specs.kinds.comparison import Comparison
from harness.specs.resolve import Resolved
from harness.specs.settings import RERANKED
from harness.specs.target import Row, with_runs

NOT_COMPARED = ("reference", "evaluated", "published", "unavailable")
"""Kinds of row that are not compared with the baseline."""


def comparison_scores(resolved: Resolved, per_query: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of the table's measures, on all splits.

    A run that trains a ranker ranks with it, so its rankings also count as reranked ones.
    """
    measures = dict.fromkeys((column.dataset, column.measure) for column in resolved.columns)
    shown = per_query[pd.MultiIndex.from_frame(per_query[["dataset", "measure"]]).isin(list(measures))]
    rankers = [row.name for row in with_runs(resolved.target.rows) if resolved.trains_ranker(row)]
    if not rankers:
        return shown
    ranker_scores = shown[shown["row"].isin(rankers)]
    return pd.concat(
        [shown, ranker_scores.assign(split=ranker_scores["split"] + RERANKED)], ignore_index=True
    )


def build_comparison(context: ReportContext) -> ComparisonCells:
    """Return the content of cells.json, which depends on the runs only."""
    resolved, target = context.resolved, cast("Comparison", context.resolved.target)
    columns = [column.model_dump() for column in resolved.columns]
    figures = {row.name: resolved.published(row) for row in target.rows}
    comparison = compare_rows(
        context.per_query,
        columns,
        {row.name: figures[row.name] for row in target.rows if row.kind not in NOT_COMPARED},
        baseline=target.baseline,
        primary=target.primary,
        level=target.level,
        pairs={(one, other): (figures[one], figures[other]) for one, other in target.compare},
        minus=target.minus,
    )
    pairs = [{"rows": list(pair), "cells": blocks} for pair, blocks in comparison.pairs.items()]
    same, rows = same_scores(context.per_query), []
    for row in target.rows:
        row_runs = context.runs_of(row.name)
        published = figures[row.name]
        blocks = comparison.differences.get(row.name, [None] * len(columns))
        state = _state(row, context.failed, row_runs)
        cells = [
            _cell(state, reproduced(context.per_query, row.name, column, target.level), figure, block)
            for column, figure, block in zip(columns, published, blocks, strict=True)
        ]
        rows.append(_row(row, row_runs, cells, target.datasets) | {"reason": context.failed.get(row.name)})
        other = (target.minus or {}).get(row.name)
        rows[-1] |= {"minus": other} if other else {}
    return judged(
        {
            **describe_target(context, columns),
            "baseline": target.baseline,
            "rows": rows,
            **({"pairs": pairs} if pairs else {}),
            **({"same_scores": same} if same else {}),
            "smallest_difference": comparison.smallest_difference,
        }
    )


def judged(content: Described) -> ComparisonCells:
    """Return the described cells with verdicts on rows and table, and with the reproducibility measures."""
    columns, rows, baseline = content["columns"], content["rows"], content["baseline"]
    place = [column["label"] for column in columns].index(content["primary"])
    stand_ins = [
        stand_in(_collection(content, column["dataset"]), column["dataset_title"]) for column in columns
    ]
    differences = {
        row["name"]: row["cells"][place]["difference"]
        for row in rows
        if row["kind"] not in NOT_COMPARED and row["name"] != baseline
    }
    of_rows, of_table = judge(
        differences, level=content["level"], scale=content["scale"], stand_in=stand_ins[place]
    )
    if "own" in content:
        of_rows, of_table = {}, {"word": OWN_TABLE, "reason": NOT_PRINTED}
    verdicts = {
        "rows": [row | {"verdict": of_rows.get(row["name"])} for row in rows],
        "verdict": of_table["word"],
        "verdict_reason": of_table["reason"],
        "reproducibility": measure_reproducibility(columns, rows, baseline, stand_ins),
    }
    return ComparisonCells.model_validate(content | verdicts)


def _collection(content: Described, dataset: str) -> str:
    """Return the name of the collection that serves a dataset."""
    return str(
        (content["collection"] if "collection" in content else content["collections"][dataset])["name"]
    )


def _row(row: Row, runs: Sequence[FinishedRun], cells: list[Described], datasets: Sequence[str]) -> Described:
    trained = {name: _trained([run for run in runs if run.dataset == name]) for name in datasets}
    return {
        "name": row.name,
        "kind": row.kind,
        "recipe": runs[0].settings.recipe if runs and row.sampler else None,
        "sampler": runs[0].settings.preset if runs else None,
        "summary": row.summary,
        **describe_made(runs),
        "cells": cells,
        **(trained[datasets[0]] if len(datasets) == 1 else {"by_dataset": trained}),
    }


def _trained(runs: Sequence[FinishedRun]) -> Described:
    """Return the diagnostics of training of a row's runs on one dataset."""
    results = [run.folder.result() for run in runs]
    drawn = sum(result["drawn"] for result in results)
    known = sum(result["known_relevant_drawn"] for result in results)
    unlabelled = sum(result.get("unlabelled_known", 0) for result in results)
    found = sum(result.get("unlabelled_drawn", 0) for result in results)
    of_known = found / unlabelled if unlabelled else None
    diagnostics = [result["diagnostics"] for result in results if result["diagnostics"]]
    return {
        "false_negatives": {
            "known_relevant_drawn": known,
            "drawn": drawn,
            "share": known / drawn,
            "unlabelled": of_known,
        }
        if drawn
        else None,
        "diagnostics": _mean(diagnostics) if diagnostics else None,
        **describe_ranker(runs),
    }


def _mean(diagnostics: list[dict[str, float]]) -> dict[str, float]:
    """Mean over seeds of the last round's diagnostics, of those that all have."""
    common = sorted(set.intersection(*(set(of) for of in diagnostics)))
    return {key: sum(of[key] for of in diagnostics) / len(diagnostics) for key in common}


def _state(row: Row, failed: Mapping[str, str], runs: Sequence[FinishedRun]) -> str:
    """Return the state of a row's cells that have no figure."""
    if row.name in failed:
        return "failed"
    never = {"published": "published-only", "unavailable": "unavailable"}
    return "not-due" if runs else never.get(row.kind, "missing")


def _cell(
    state: str, reproduced: Described | None, figure: Described | None, difference: Described | None
) -> Described:
    return {
        "state": "ok" if reproduced else state,
        "published": figure,
        "reproduced": reproduced,
        "difference": difference,
    }
