"""The cells of statistics: published counts, and those of the collections in use at a scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import pandas as pd

from harness.collections.collection import Collection
from harness.reports.cells import FinishedRun, describe_collection, describe_spec
from harness.reports.text import Cells
from harness.specs.kinds.statistics import Counted, Statistics
from harness.specs.resolve import Resolved, figures

STATES = {"counted": "missing", "published": "published-only", "unavailable": "unavailable"}
"""Kind of row -> state of its cells without a count."""


def no_scores(resolved: Resolved, per_query: pd.DataFrame) -> pd.DataFrame:
    """Return an empty frame: statistics keep no scores."""
    return per_query.iloc[:0]


def build_statistics(
    resolved: Resolved,
    runs: Sequence[FinishedRun],
    failed: Mapping[str, str],
    per_query: pd.DataFrame,
    collections: Mapping[str, Collection],
) -> Cells:
    """Return the content of cells.json, which depends on the collections only."""
    target = cast("Statistics", resolved.target)
    described = {name: describe_collection(collection) for name, collection in collections.items()}
    return {
        **describe_spec(resolved),
        "simulation": any(collection.simulation for collection in collections.values()),
        "collections": described,
        "columns": [column.model_dump() for column in target.columns],
        "rows": [_row(resolved, target, row, described.get(row.dataset or "")) for row in target.rows],
    }


def _row(resolved: Resolved, target: Statistics, row: Counted, described: Cells | None) -> Cells:
    published = figures(resolved.loaded, row)
    cells = []
    for column in target.columns:
        counted = count(described, column.count) if described else None
        state = STATES[row.kind] if counted is None else "ok"
        cells.append({"state": state, "published": published[column.label], "counted": counted})
    return {
        "name": row.name,
        "kind": row.kind,
        "dataset": row.dataset,
        "dataset_title": resolved.loaded.datasets[row.dataset].title if row.dataset else None,
        "summary": row.summary,
        "cells": cells,
    }


def count(described: Cells, what: str) -> int | None:
    """Return a count of a collection, as `describe_collection` returns it; None if it has no such split."""
    number = described["documents"] if what == "documents" else described["queries"].get(what)
    return None if number is None else int(number)
