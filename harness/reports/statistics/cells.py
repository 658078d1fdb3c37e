"""The cells of statistics: published counts, and those of the collections in use at a scale."""

from __future__ import annotations

from typing import cast

import pandas as pd

from harness.reports.cells import Described, ReportContext, describe_collection, describe_spec
from harness.reports.content import Cell, Cells, CollectionFacts, Content, NamedRow
from harness.specs.kinds.statistics import Counted, Statistics
from harness.specs.resolve import Resolved, figures

STATES = {"counted": "missing", "published": "published-only", "unavailable": "unavailable"}
"""Kind of row -> state of its cells without a count."""


class CountedCell(Cell):
    """A published count, and that of the collection here."""

    counted: int | None


class CountColumn(Content):
    """A column of counts: queries of a split, or documents."""

    label: str
    count: str


class CountedRow(NamedRow):
    """A dataset; with the name and title that it has here where it is counted."""

    dataset: str | None
    dataset_title: str | None
    cells: list[CountedCell]


class StatisticsCells(Cells):
    """Published counts, and those of the collections in use at a scale."""

    collections: dict[str, CollectionFacts]
    columns: list[CountColumn]
    rows: list[CountedRow]

    @property
    def dataset_titles(self) -> list[str]:
        """Titles of the datasets that are counted, each once."""
        return list(dict.fromkeys(row.dataset_title for row in self.rows if row.dataset_title))


def no_scores(resolved: Resolved, per_query: pd.DataFrame) -> pd.DataFrame:
    """Return an empty frame: statistics keep no scores."""
    return per_query.iloc[:0]


def build_statistics(context: ReportContext) -> StatisticsCells:
    """Return the content of cells.json, which depends on the collections only."""
    resolved, collections = context.resolved, context.collections
    target = cast("Statistics", resolved.target)
    described = {name: describe_collection(collection) for name, collection in collections.items()}
    content = {
        **describe_spec(resolved),
        "simulation": any(collection.simulation for collection in collections.values()),
        "collections": described,
        "columns": [column.model_dump() for column in target.columns],
        "rows": [_row(resolved, target, row, described.get(row.dataset or "")) for row in target.rows],
    }
    return StatisticsCells.model_validate(content)


def _row(resolved: Resolved, target: Statistics, row: Counted, described: Described | None) -> Described:
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


def count(described: Described, what: str) -> int | None:
    """Return a count of a collection, as `describe_collection` returns it; None if it has no such split."""
    number = described["documents"] if what == "documents" else described["queries"].get(what)
    return None if number is None else int(number)
