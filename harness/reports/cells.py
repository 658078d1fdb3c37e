"""From finished runs to cells.json, provenance.json and per_query.parquet; all else is rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd

from harness.collections.collection import Collection
from harness.errors import UserError
from harness.evaluation.comparison import compare_rows, reproduced
from harness.evaluation.measures import describe_provider
from harness.files import read_json
from harness.records.run_folder import RunFolder
from harness.specs.models import Comparison, Row
from harness.specs.resolve import Resolved
from harness.specs.settings import RunSettings

Cells = dict[str, Any]


@dataclass(frozen=True)
class FinishedRun:
    """A row's run of one seed."""

    row: str
    seed: int
    settings: RunSettings
    folder: RunFolder


def read_per_query(runs: Sequence[FinishedRun], dataset: str) -> pd.DataFrame:
    """Return the per-query values of all runs: columns row, seed, dataset, split, measure, query, value.

    Raises:
        UserError: a file is missing or corrupt.
    """
    frames = []
    for run in runs:
        path = run.folder.folder / "per_query.parquet"
        try:
            frame = pd.read_parquet(path)
        except Exception as error:
            raise UserError(
                f"corrupt file ({error})",
                where=str(path),
                fix="delete it and done.json beside it, and run again",
            ) from error
        frames.append(frame.assign(row=run.row, seed=run.seed, dataset=dataset))
    order = ["row", "seed", "dataset", "split", "measure", "query", "value"]
    return pd.concat(frames, ignore_index=True)[order]


def build_cells(
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
        "target": resolved.name,
        "paper": resolved.paper,
        "title": target.title,
        "source": target.source,
        "scale": resolved.scale.name,
        "simulation": collection.simulation,
        "kind": target.kind,
        "unit": target.unit,
        "collection": {
            "name": collection.name,
            "fingerprint": collection.fingerprint,
            "documents": len(collection.documents),
            "queries": {split: len(queries) for split, queries in collection.queries.items()},
        },
        "provider": {
            measure: describe_provider(measure) for measure in sorted({c["measure"] for c in columns})
        },
        "settings_commit": resolved.settings_commit(),
        "reading_notes": resolved.scale_notes(),
        "baseline": target.baseline,
        "primary": target.primary,
        "level": target.level,
        "seeds": sorted({run.seed for run in runs}),
        "columns": columns,
        "rows": rows,
        "smallest_difference": comparison.smallest_difference,
        "verdict": "pipeline check",
        "notes": resolved.notes(),
    }


def build_provenance(runs: Sequence[FinishedRun], overlap: str | None) -> dict[str, Any]:
    """Return where each figure comes from: run folders, environments, times.

    Args:
        runs: the finished runs.
        overlap: how the built-in collection compares with its manifest, where it is used.
    """
    environments: list[Cells] = []
    entries = []
    for run in runs:
        environment = read_json(run.folder.folder / "environment.json")
        if environment not in environments:
            environments.append(environment)
        result = run.folder.result()
        entries.append(
            {
                "row": run.row,
                "seed": run.seed,
                "fingerprint": run.folder.folder.name,
                "seconds": result.get("seconds"),
                "finished": result.get("finished"),
                "environment": environments.index(environment),
            }
        )
    return {"manifest": overlap, "environments": environments, "runs": entries}


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
        "summary": row.note or "",
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
