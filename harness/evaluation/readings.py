"""One row compared with others under every combination of readings (a specification curve).

Simonsohn, Simmons and Nelson, Specification curve analysis, Nature Human Behaviour 2020. This module
describes the curve; it omits their permutation test of the whole curve. Readings are choices, not a sample:
their shares are counts of the readings that were chosen, not probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.evaluation.comparison import CellBlock, difference_block
from harness.evaluation.score_tables import clusters_in, paired_difference, score_table


def agree(reading: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two readings have the same value on every path that both set."""
    return all(other[path] == value for path, value in reading.items() if path in other)


def same_runs(
    per_query: pd.DataFrame, column: Mapping[str, Any], readings: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Return the name of each reading -> the first reading of its row that is the same run.

    Two readings are the same run if their fingerprints are the same, or if every query has the same score in
    every seed: then what they differ in has no effect on what is drawn.

    Args:
        per_query: scores with columns row, seed, split, measure, query and value.
        column: a column of `cells.json`, with its measure, split and dataset.
        readings: ``{"row", "name"}``, and ``fingerprints`` where they are known.
    """
    tables = {reading["name"]: score_table(per_query, reading["name"], column) for reading in readings}

    def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        known = one.get("fingerprints") or None
        by_name = known is not None and known == other.get("fingerprints")
        return one["row"] == other["row"] and (by_name or tables[one["name"]].equals(tables[other["name"]]))

    return {
        reading["name"]: next(one["name"] for one in readings if one is reading or same(one, reading))
        for reading in readings
    }


def distinct_pairs(pairs: Sequence[CellBlock], first: Mapping[str, str]) -> list[CellBlock]:
    """Return the pairs of different runs, each with the pairs of readings that it stands for.

    Args:
        pairs: pairs of readings, as `compare_readings` returns them.
        first: what `same_runs` returns.

    Returns:
        The first pair of each two runs, with ``written``: the names of both readings of every pair of them.
    """
    distinct: dict[tuple[str, str], CellBlock] = {}
    for pair in pairs:
        runs = first[pair["reading"]], first[pair["other"]]
        distinct.setdefault(runs, {**pair, "written": []})["written"].append([pair["reading"], pair["other"]])
    return list(distinct.values())


def compare_readings(
    per_query: pd.DataFrame,
    column: Mapping[str, Any],
    readings: Sequence[Mapping[str, Any]],
    *,
    focus: str,
    level: float,
) -> list[CellBlock]:
    """Return the differences between each reading of a row and each agreeing reading of the other rows.

    Args:
        per_query: scores with columns row, seed, split, measure, query and value.
        column: a column of `cells.json`, with its measure, split and dataset.
        readings: ``{"row", "name", "reading"}``, where `reading` maps path -> value.
        focus: name of the row whose readings are compared.
        level: confidence of the intervals, in (0, 1).

    Returns:
        ``{"row", "reading", "other", "value", "checkpoints", "method"}`` for each pair: the row compared
        with, the names of both readings, and the focus minus that row, paired by seed and query. Pairs
        without a common seed are omitted.
    """
    tables = {reading["name"]: score_table(per_query, reading["name"], column) for reading in readings}
    pairs = []
    for reading in readings:
        for other in readings:
            if (
                reading["row"] != focus
                or other["row"] == focus
                or not agree(reading["reading"], other["reading"])
            ):
                continue
            names = reading["name"], other["name"]
            paired = paired_difference(tables[names[0]], tables[names[1]], *names)
            if paired is not None:
                names_of_pair = {"row": other["row"], "reading": names[0], "other": names[1]}
                clusters = clusters_in(per_query, tables[names[0]], column)
                pairs.append({**names_of_pair, **difference_block(paired, level, clusters)})
    return pairs


def summarise_readings(pairs: Sequence[Mapping[str, Any]]) -> list[CellBlock]:
    """Return a summary of the differences for each row compared with.

    Returns:
        ``pairs`` (the denominator of the counts), ``written`` (how many pairs of readings they stand for,
        where `distinct_pairs` made them), ``above`` (differences above 0), ``interval`` (the kind of
        interval that is counted: the method's, or the checkpoints' with one seed), ``interval_above`` and
        ``interval_below`` (intervals entirely above or below 0), ``median``, ``low`` and ``high`` of the
        differences.
    """
    summary = []
    for row in dict.fromkeys(pair["row"] for pair in pairs):
        row_pairs = [pair for pair in pairs if pair["row"] == row]
        kind = "method" if all(pair["method"] for pair in row_pairs) else "checkpoints"
        values = [pair["value"] for pair in row_pairs]
        summary.append(
            {
                "row": row,
                "pairs": len(row_pairs),
                **_written(row_pairs),
                "above": sum(value > 0 for value in values),
                "interval": kind,
                "interval_above": sum(pair[kind]["low"] > 0 for pair in row_pairs),
                "interval_below": sum(pair[kind]["high"] < 0 for pair in row_pairs),
                "median": float(np.median(values)),
                "low": min(values),
                "high": max(values),
            }
        )
    return summary


def _written(pairs: Sequence[Mapping[str, Any]]) -> CellBlock:
    return {"written": sum(len(pair["written"]) for pair in pairs)} if "written" in pairs[0] else {}


def by_value(
    pairs: Sequence[Mapping[str, Any]], readings: Sequence[Mapping[str, Any]], paths: Sequence[str]
) -> list[CellBlock]:
    """Return the mean difference under each value of each path, for each row compared with.

    In a full factorial the other paths are balanced, so the means differ by the effect of the path, averaged
    over the other paths. A pair that stands for several pairs of readings counts once for each of their
    values.

    Args:
        pairs: pairs of readings, as `compare_readings` or `distinct_pairs` returns them.
        readings: ``{"row", "name", "reading"}``, where `reading` maps path -> value.
        paths: the paths, in the order of the report.

    Returns:
        ``{"row", "path", "values": [{"value", "pairs", "mean"}], "spread"}`` for each row and path; `spread`
        is the largest mean minus the smallest.
    """
    reading_by_name = {reading["name"]: reading["reading"] for reading in readings}
    blocks = []
    for row in dict.fromkeys(pair["row"] for pair in pairs):
        specifications = [
            (
                [
                    {**reading_by_name[one], **reading_by_name[other]}
                    for one, other in pair.get("written") or [(pair["reading"], pair["other"])]
                ],
                pair["value"],
            )
            for pair in pairs
            if pair["row"] == row
        ]
        for path in (path for path in paths if path in specifications[0][0][0]):
            values = []
            for value in dict.fromkeys(one[path] for written, _ in specifications for one in written):
                under = [
                    difference
                    for written, difference in specifications
                    if any(one[path] == value for one in written)
                ]
                values.append({"value": value, "pairs": len(under), "mean": float(np.mean(under))})
            means = [float(value["mean"]) for value in values]
            blocks.append({"row": row, "path": path, "values": values, "spread": max(means) - min(means)})
    return blocks
