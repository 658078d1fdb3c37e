"""Scores of runs as tables of seeds and queries, paired, grouped and compared as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from harness.errors import UserError
from harness.evaluation.significance import (
    Clusters,
    FloatArray,
)


def score_table(per_query: pd.DataFrame, row: str, column: Mapping[str, Any]) -> pd.DataFrame:
    """Return the scores of one row and column as a frame [seeds, queries], both sorted; it may be empty.

    Raises:
        UserError: two seeds are scored on different queries.
    """
    selected = (
        (per_query["row"] == row)
        & (per_query["measure"] == column["measure"])
        & (per_query["split"] == column["split"])
    )
    if "dataset" in per_query.columns and "dataset" in column:
        selected &= per_query["dataset"] == column["dataset"]
    scores = per_query.loc[selected, ["seed", "query", "value"]]
    table: pd.DataFrame = scores.pivot(index="seed", columns="query", values="value")
    if bool(table.isna().to_numpy().any()):
        raise UserError(
            f"the seeds of row '{row}' are scored on different queries", where=str(column["label"])
        )
    return table


def clusters_in(per_query: pd.DataFrame, table: pd.DataFrame, column: Mapping[str, Any]) -> Clusters | None:
    """Return the cluster of each query of a `score_table`, [Q]; None where each query is one by itself."""
    if "cluster" not in per_query.columns:
        return None
    named = per_query["split"] == column["split"]
    if "dataset" in per_query.columns and "dataset" in column:
        named &= per_query["dataset"] == column["dataset"]
    clusters_named = per_query.loc[named, ["query", "cluster"]]
    of_query = clusters_named.drop_duplicates("query").set_index("query")["cluster"]
    clusters: Clusters = pd.factorize(of_query.loc[table.columns])[0].astype(np.int64)
    return clusters


def paired_difference(
    table: pd.DataFrame, reference: pd.DataFrame, row: str, other: str
) -> FloatArray | None:
    """Return the difference of two rows, seed by seed and query by query.

    Args:
        table: scores of the row [seeds, queries], as `score_table` returns them.
        reference: scores of the other row [seeds, queries].
        row: name of the row, for error messages.
        other: name of the other row, for error messages.

    Returns:
        Differences [S, Q] over the seeds that both rows have; None if they share no seed.

    Raises:
        UserError: the rows are scored on different queries.
    """
    seeds = table.index.intersection(reference.index)
    if len(seeds) == 0:
        return None
    if not table.columns.equals(reference.columns):
        raise UserError(
            f"rows '{row}' and '{other}' are scored on different queries",
            fix="evaluate both again on the same collection",
        )
    difference: FloatArray = (table.loc[seeds] - reference.loc[seeds]).to_numpy(dtype=np.float64)
    return difference


def same_scores(per_query: pd.DataFrame) -> list[list[str]]:
    """Return the groups of rows that have the same scores in all measures, on every query and seed.

    Args:
        per_query: columns row, seed, split, measure, query, value, and dataset where there are several.
    """
    keys = [name for name in per_query.columns if name not in ("row", "value")]
    rows: dict[bytes, list[str]] = {}
    for row, scores in per_query.groupby("row", sort=False):
        lines = scores.sort_values(keys)[[*keys, "value"]]
        content = pd.util.hash_pandas_object(lines, index=False).to_numpy().tobytes()
        rows.setdefault(content, []).append(str(row))
    return [group for group in rows.values() if len(group) > 1]
