"""One row compared with others under every combination of readings (a specification curve).

Simonsohn, Simmons and Nelson, Specification curve analysis, Nature Human Behaviour 2020. The curve is
described here; their test of the whole curve, by permutation, is not made. Readings are choices, no sample:
shares of them are counts of what was chosen to look at, and no probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.evaluation.comparison import CellBlock, difference_block, paired_difference, score_table


def agree(reading: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two readings have the same value on every path that both have."""
    return all(other[path] == value for path, value in reading.items() if path in other)


def compare_readings(
    per_query: pd.DataFrame,
    column: Mapping[str, Any],
    readings: Sequence[Mapping[str, Any]],
    *,
    focus: str,
    level: float,
) -> list[CellBlock]:
    """Return the difference of every reading of a row to every reading of the others that agrees with it.

    Args:
        per_query: as for `harness.evaluation.comparison.reproduced`.
        column: of `cells.json`: its measure, split and dataset.
        readings: ``{"row", "name", "reading"}``, `reading` a mapping of path -> value.
        focus: the row whose readings are compared.
        level: confidence of the intervals.

    Returns:
        ``{"row", "reading", "other", "value", "checkpoints", "method"}`` each: the row compared with, the
        names of both readings, and the difference of the focus to it, paired by seed and query. Pairs
        without a seed in common are left out.
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
                pairs.append({**names_of_pair, **difference_block(paired, level)})
    return pairs


def summarise_readings(pairs: Sequence[Mapping[str, Any]]) -> list[CellBlock]:
    """Return, for each row compared with, how the differences to it lie.

    Returns:
        ``pairs`` (the denominator of the counts), ``above`` (differences above 0), ``interval`` (the one
        that is counted: the method's, or the checkpoints' with one seed), ``interval_above`` and
        ``interval_below`` (intervals wholly above or below 0), ``median``, ``low`` and ``high`` of the
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


def by_value(
    pairs: Sequence[Mapping[str, Any]], readings: Sequence[Mapping[str, Any]], paths: Sequence[str]
) -> list[CellBlock]:
    """Return the mean difference under each value of each path, for each row compared with.

    In a full factorial the other paths are balanced, so the means differ by what the path accounts for,
    averaged over the others.

    Args:
        pairs: of `compare_readings`.
        readings: as for `compare_readings`.
        paths: the paths in the order to report them.

    Returns:
        ``{"row", "path", "values": [{"value", "pairs", "mean"}], "spread"}`` each; `spread` is the largest
        of the means minus the smallest.
    """
    reading_by_name = {reading["name"]: reading["reading"] for reading in readings}
    blocks = []
    for row in dict.fromkeys(pair["row"] for pair in pairs):
        specifications = [
            ({**reading_by_name[pair["reading"]], **reading_by_name[pair["other"]]}, pair["value"])
            for pair in pairs
            if pair["row"] == row
        ]
        for path in (path for path in paths if path in specifications[0][0]):
            values = []
            for value in dict.fromkeys(reading[path] for reading, _ in specifications):
                under = [difference for reading, difference in specifications if reading[path] == value]
                values.append({"value": value, "pairs": len(under), "mean": float(np.mean(under))})
            means = [float(value["mean"]) for value in values]
            blocks.append({"row": row, "path": path, "values": values, "spread": max(means) - min(means)})
    return blocks
