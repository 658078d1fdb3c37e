"""From per-query scores to the numbers of a cell: its mean, and its difference to the baseline row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.errors import UserError
from harness.evaluation.interval import (
    Interval,
    detectable_range,
    power_to_see,
    smallest_detectable_difference,
)
from harness.evaluation.published import published_difference
from harness.evaluation.score_tables import clusters_in, paired_difference, score_table
from harness.evaluation.significance import (
    Clusters,
    FloatArray,
    checkpoint_interval,
    holm,
    method_interval,
)

CellBlock = dict[str, Any]
"""A JSON-ready piece of `cells.json`, numbers as fractions."""

Pair = tuple[str, str]
"""Names of two rows, the first of which is compared with the second."""

Figures = Sequence[Mapping[str, Any] | None]
"""Published figures of a row, one a column: ``{"printed", "value", "unit"}``, or None."""


@dataclass(frozen=True)
class BaselineDifferences:
    """Differences between the rows and the baseline row, and of pairs of rows.

    Attributes:
        differences: row name -> one block for each column, None where there is nothing to compare.
        pairs: names of two rows -> likewise, the first minus the second.
        smallest_difference: the smallest difference that every row could have detected on the primary
            column with a power of 0.8, before Holm, for each kind of interval: ``{"checkpoints", "method"}``,
            fractions or None; and its range, ``{"checkpoints_range", "method_range"}``.
    """

    differences: dict[str, list[CellBlock | None]]
    pairs: dict[Pair, list[CellBlock | None]]
    smallest_difference: CellBlock


def reproduced(
    per_query: pd.DataFrame, row: str, column: Mapping[str, Any], level: float
) -> CellBlock | None:
    """Return the ``reproduced`` block of a cell: mean, standard deviation over seeds, intervals of the mean.

    Args:
        per_query: columns row, seed, split, measure, query, value, dataset where there are several, and
            cluster where queries are not independent.
        row: name of the row.
        column: a column of `cells.json`, with its measure, split and dataset.
        level: confidence of the intervals, in (0, 1).

    Returns:
        ``mean``, ``sd`` (over seeds, None with one), ``per_seed`` in the order of the seeds, ``checkpoints``
        and ``method`` (intervals of the mean, not paired: for a difference see `compare_rows`); None if the
        row has no scores.
    """
    table = score_table(per_query, row, column)
    if table.empty:
        return None
    values: FloatArray = table.to_numpy(dtype=np.float64)
    per_seed = values.mean(axis=1)
    return {
        "mean": float(per_seed.mean()),
        "sd": float(per_seed.std(ddof=1)) if len(per_seed) > 1 else None,
        "per_seed": [float(value) for value in per_seed],
        **_interval_blocks(values, level, clusters_in(per_query, table, column)),
    }


def compare_rows(
    per_query: pd.DataFrame,
    columns: Sequence[Mapping[str, Any]],
    rows: Mapping[str, Figures],
    *,
    baseline: str,
    primary: str,
    level: float,
    pairs: Mapping[Pair, tuple[Figures, Figures]] | None = None,
    minus: Mapping[str, str] | None = None,
) -> BaselineDifferences:
    """Return the ``difference`` blocks of a table, paired with the baseline by seed and query.

    Holm's correction is over the rows that are compared with the same row, in the primary column, and over
    the pairs as a family of their own; on the method's p-values, or on those of the checkpoints where there
    is one seed. Other columns carry unadjusted intervals. ``detectable`` of the primary column is the
    smallest difference that Holm's first step detects with a power of 0.8; ``power`` is that of finding the
    published difference, before Holm.

    Args:
        per_query: scores with columns row, seed, split, measure, query and value.
        columns: the columns of `cells.json`, each with label, measure, split and dataset.
        rows: the rows to compare -> their published figures, one for each column (``{"printed", "value",
            "unit"}`` or None). Include the baseline, for its published figures; leave out reference rows.
        baseline: name of the row to compare with.
        primary: label of the primary column.
        level: confidence of the intervals, in (0, 1).
        pairs: further pairs of rows, of any kind -> the published figures of both.
        minus: row -> the row that it is compared with, where that is not the baseline for all; the others are
            not compared.

    Raises:
        UserError: an unknown baseline or primary column, or rows scored on different queries.
    """
    labels = [column["label"] for column in columns]
    if baseline not in rows:
        raise UserError(f"the baseline '{baseline}' is not among the rows", fix=f"rows: {', '.join(rows)}")
    if primary not in labels:
        raise UserError(
            f"the primary column '{primary}' is not in the table", fix=f"columns: {', '.join(labels)}"
        )
    others = {row: baseline for row in rows if row != baseline} if minus is None else minus
    to_baseline = {(row, other): (rows[row], rows[other]) for row, other in others.items()}
    compared = {**to_baseline, **(pairs or {})}
    blocks: dict[Pair, list[CellBlock | None]] = {pair: [] for pair in compared}
    on_primary: dict[Pair, dict[str, Interval]] = {}
    for position, column in enumerate(columns):
        names = dict.fromkeys(name for pair in compared for name in pair)
        tables = {name: score_table(per_query, name, column) for name in names}
        for pair, figures in compared.items():
            published = published_difference(figures[0][position], figures[1][position])
            paired = paired_difference(tables[pair[0]], tables[pair[1]], *pair)
            clusters = clusters_in(per_query, tables[pair[0]], column)
            blocks[pair].append(_block(paired, published, level, clusters))
            if paired is not None and column["label"] == primary:
                on_primary[pair] = _intervals(paired, level, clusters)
    families = [
        [pair for pair in to_baseline if pair[1] == other] for other in dict.fromkeys(others.values())
    ]
    for family in (*families, pairs or {}):
        of_family = {pair: of for pair, of in on_primary.items() if pair in family}
        _adjust(blocks, labels.index(primary), of_family)
    return BaselineDifferences(
        {**{row: [None] * len(labels) for row in rows}, **{pair[0]: blocks[pair] for pair in to_baseline}},
        {pair: blocks[pair] for pair in pairs or {}},
        _smallest({pair: intervals for pair, intervals in on_primary.items() if pair in to_baseline}),
    )


def difference_block(paired: FloatArray, level: float, clusters: Clusters | None = None) -> CellBlock:
    """Return the mean of differences [S, Q] with both intervals; with one seed ``method`` is None.

    Where no query differs at any seed the intervals have ``same``: they are no estimate of a variance.

    Args:
        paired: differences, as `paired_difference` returns them.
        level: confidence of the intervals, in (0, 1).
        clusters: cluster of each query, as `clusters_in` returns them; None where each is one by itself.
    """
    blocks = _interval_blocks(paired, level, clusters)
    same = {} if paired.any() else {"same": True}
    return {"value": float(paired.mean()), **{kind: of and of | same for kind, of in blocks.items()}}


def _intervals(values: FloatArray, level: float, clusters: Clusters | None) -> dict[str, Interval]:
    """Both intervals of values [S, Q]; with one seed, the checkpoints' interval only."""
    intervals = {
        "checkpoints": checkpoint_interval(values, level, clusters),
        "method": method_interval(values, level, clusters),
    }
    return {name: interval for name, interval in intervals.items() if interval is not None}


def _interval_blocks(values: FloatArray, level: float, clusters: Clusters | None) -> CellBlock:
    """Both intervals of values [S, Q], JSON-ready."""
    intervals = _intervals(values, level, clusters)
    return {"checkpoints": None, "method": None} | {
        name: {"low": i.low, "high": i.high, "level": i.level, "df": float(i.df)}
        for name, i in intervals.items()
    }


def _block(
    paired: FloatArray | None,
    published: dict[str, float] | None,
    level: float,
    clusters: Clusters | None,
) -> CellBlock | None:
    """The ``difference`` block of a cell; None if there is neither a reproduced nor a published one."""
    untested = {"holm_p": None, "detectable": None}
    if paired is None:
        missing = {"value": None, "checkpoints": None, "method": None}
        return {**missing, "published": published, **untested} if published else None
    return {**difference_block(paired, level, clusters), "published": published, **untested}


def _adjust(
    differences: dict[Pair, list[CellBlock | None]], primary: int, intervals: dict[Pair, dict[str, Interval]]
) -> None:
    """Write p-values, detectable differences and powers of a family into blocks of the primary column."""
    tested = {pair: of_pair.get("method") or of_pair["checkpoints"] for pair, of_pair in intervals.items()}
    p_values = holm([interval.p_value for interval in tested.values()])
    for (pair, interval), p_value in zip(tested.items(), p_values, strict=True):
        block = differences[pair][primary]
        if block is not None:
            block["holm_p"] = p_value
            block["detectable"] = smallest_detectable_difference(interval, comparisons=len(tested))
            if block["published"]:
                block["power"] = power_to_see(interval, block["published"]["value"])


def _smallest(intervals: dict[Pair, dict[str, Interval]]) -> CellBlock:
    """The largest over rows of the smallest detectable difference, with its range, for each interval."""
    smallest: CellBlock = {}
    for kind in ("checkpoints", "method"):
        of_kind = [by_kind[kind] for by_kind in intervals.values() if kind in by_kind]
        complete = bool(of_kind) and len(of_kind) == len(intervals)
        largest = max(of_kind, key=smallest_detectable_difference) if complete else None
        smallest[kind] = smallest_detectable_difference(largest) if largest else None
        if largest:
            smallest[f"{kind}_range"] = list(detectable_range(largest))
    return smallest
