"""From per-query scores to the numbers of a cell: its mean, and its difference to the baseline row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
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
    table: pd.DataFrame = per_query[selected].pivot(index="seed", columns="query", values="value")
    if bool(table.isna().to_numpy().any()):
        raise UserError(
            f"the seeds of row '{row}' are scored on different queries", where=str(column["label"])
        )
    return table


def clusters_in(per_query: pd.DataFrame, table: pd.DataFrame, column: Mapping[str, Any]) -> Clusters | None:
    """Return the cluster of each query of a `score_table`, [Q]; None where each query is one by itself."""
    if "cluster" not in per_query.columns:
        return None
    named = per_query[per_query["split"] == column["split"]]
    if "dataset" in per_query.columns and "dataset" in column:
        named = named[named["dataset"] == column["dataset"]]
    of_query = named.drop_duplicates("query").set_index("query")["cluster"]
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


def published_difference(
    figure: Mapping[str, Any] | None, baseline: Mapping[str, Any] | None
) -> dict[str, float] | None:
    """Return the difference of two published figures with the range implied by their rounding.

    A figure printed as 39.7 may be any value from 39.65 to 39.75; the ends of the range add both half units
    of the last printed digit.

    Returns:
        ``{"value", "low", "high"}`` as fractions (in other units: as printed), or None if either is missing.
    """
    if figure is None or baseline is None:
        return None
    (value, half), (base, base_half) = _printed(figure), _printed(baseline)
    difference, slack = value - base, half + base_half
    return {"value": float(difference), "low": float(difference - slack), "high": float(difference + slack)}


def published_interval(figure: Mapping[str, Any]) -> dict[str, float]:
    """Return the range implied by a published figure's rounding: ``{"low", "high"}``, fractions."""
    value, half = _printed(figure)
    return {"low": float(value - half), "high": float(value + half)}


def _printed(figure: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """Value and half a unit of its last printed digit, in exact decimals."""
    match = re.search(r"[-+]?\d*\.?\d+", str(figure["printed"]))
    if match is None:
        raise UserError(f"the published figure {figure['printed']!r} contains no number")
    number = Decimal(match.group())
    factor = Decimal("0.01") if figure["unit"] == "percent" else Decimal(1)
    exponent = number.as_tuple().exponent
    return number * factor, Decimal(5).scaleb(int(exponent) - 1) * factor


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
