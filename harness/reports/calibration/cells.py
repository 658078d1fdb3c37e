"""The cells of a calibration: the difference of each pair of sides, and how many intervals cover 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from harness.collections.collection import Collection
from harness.errors import UserError
from harness.evaluation.calibration import compare_sides, coverage
from harness.reports.cells import FinishedRun, describe_target, refuse_failed_rows
from harness.reports.text import INTERVALS, Cells
from harness.specs.kinds.calibration import Calibration, Side
from harness.specs.resolve import Resolved
from harness.specs.target import Row


def build_calibration(
    resolved: Resolved,
    runs: Sequence[FinishedRun],
    failed: Mapping[str, str],
    per_query: pd.DataFrame,
    collection: Collection,
) -> Cells:
    """Return the content of cells.json, which depends on the runs only.

    Raises:
        RunError: a row failed.
        UserError: no pair has runs of both sides.
    """
    refuse_failed_rows(failed)
    target, column = cast("Calibration", resolved.target), resolved.primary.model_dump()
    level = target.level
    runs_by_row: dict[str, list[FinishedRun]] = {}
    for run in runs:
        runs_by_row.setdefault(run.row, []).append(run)
    sides = [row for row in target.rows if isinstance(row, Side) and row.name in runs_by_row]
    pairs = []
    for number in dict.fromkeys(side.pair for side in sides):
        names = tuple(side.name for side in sides if side.pair == number)
        if len(names) == 2:
            fingerprints = [[run.folder.folder.name for run in runs_by_row[name]] for name in names]
            labels = {"pair": number, "sides": list(names), "fingerprints": fingerprints}
            pairs.append({**labels, **compare_sides(per_query, column, names, level)})
    if not pairs:
        fix = "name a row as in the spec, or both sides of a pair"
        raise UserError("no pair has runs of both sides", fix=fix)
    row = cast("Row", resolved.loaded.written[0])
    return {
        **describe_target(resolved, runs, [column], {resolved.dataset: collection}),
        "row": {
            "name": row.name,
            "kind": row.kind,
            "recipe": runs[0].settings.recipe,
            "sampler": row.sampler.preset if row.sampler else None,
            "summary": row.summary,
        },
        "pairs": pairs,
        "coverage": coverages(pairs, level),
    }


def coverages(pairs: Sequence[Cells], level: float) -> Cells:
    """Return the coverage of each kind of interval; with one seed, of the first seed's interval only."""
    by_kind = {"first_seed": coverage([pair["first_seed"]["checkpoints"] for pair in pairs], level)}
    for kind in ("checkpoints", "method"):
        if all(pair["method"] for pair in pairs):
            by_kind[kind] = coverage([pair[kind] for pair in pairs], level)
    return by_kind


def kinds(cells: Cells) -> dict[str, str]:
    """Return the kinds of interval that the cells have, each with its label."""
    seeds = len(cells["seeds"])
    names = {
        "checkpoints": f"{INTERVALS['checkpoints']} ({seeds} seeds)",
        "method": f"{INTERVALS['method']} ({seeds} seeds)",
        "first_seed": f"{INTERVALS['checkpoints']} (one seed)",
    }
    return {kind: name for kind, name in names.items() if kind in cells["coverage"]}


def interval_of(pair: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return a pair's interval of a kind, with the difference at its centre as ``value``."""
    block = pair["first_seed"] if kind == "first_seed" else pair
    return {**block["method" if kind == "method" else "checkpoints"], "value": block["value"]}
