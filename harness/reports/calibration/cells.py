"""The cells of a calibration: the difference of each pair of sides, and how many intervals cover 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from harness.errors import UserError
from harness.evaluation.calibration import compare_sides, coverage
from harness.reports.cells import Described, FinishedRun, ReportContext, describe_target, refuse_failed_rows
from harness.reports.content import Content, Interval, Intervals, MeasuredCells, NamedRow
from harness.reports.text import INTERVALS
from harness.specs.kinds.calibration import Calibration, Side
from harness.specs.target import Row


class CalibratedRow(NamedRow):
    """The row that is compared with itself."""

    recipe: str | None
    sampler: str | None


class FirstSeed(Content):
    """The difference of the first seed alone, as a fraction."""

    value: float
    checkpoints: Interval


class SidePair(Intervals):
    """Side A minus side B of a pair, as a fraction; `fingerprints` of the runs of each side."""

    pair: int
    sides: list[str]
    fingerprints: list[list[str]]
    value: float
    first_seed: FirstSeed


class Coverage(Content):
    """How many intervals cover 0, with the interval of that share (Clopper and Pearson)."""

    covered: int
    intervals: int
    share: float
    low: float
    high: float
    level: float
    mean_width: float
    sd: float | None


class CalibrationCells(MeasuredCells):
    """The difference of each pair of sides, and the coverage of each kind of interval."""

    row: CalibratedRow
    pairs: list[SidePair]
    coverage: dict[str, Coverage]


def build_calibration(context: ReportContext) -> CalibrationCells:
    """Return the content of cells.json, which depends on the runs only.

    Raises:
        RunError: a row failed.
        UserError: no pair has runs of both sides.
    """
    refuse_failed_rows(context.failed)
    resolved, runs = context.resolved, context.runs
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
            pairs.append({**labels, **compare_sides(context.per_query, column, names, level)})
    if not pairs:
        fix = "name a row as in the spec, or both sides of a pair"
        raise UserError("no pair has runs of both sides", fix=fix)
    row = cast("Row", resolved.loaded.written[0])
    content = {
        **describe_target(context, [column]),
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
    return CalibrationCells.model_validate(content)


def coverages(pairs: Sequence[Described], level: float) -> Described:
    """Return the coverage of each kind of interval; with one seed, of the first seed's interval only."""
    by_kind = {"first_seed": coverage([pair["first_seed"]["checkpoints"] for pair in pairs], level)}
    for kind in ("checkpoints", "method"):
        if all(pair["method"] for pair in pairs):
            by_kind[kind] = coverage([pair[kind] for pair in pairs], level)
    return by_kind


def kinds(cells: CalibrationCells) -> dict[str, str]:
    """Return the kinds of interval that the cells have, each with its label."""
    seeds = len(cells.seeds)
    names = {
        "checkpoints": f"{INTERVALS['checkpoints']} ({seeds} seeds)",
        "method": f"{INTERVALS['method']} ({seeds} seeds)",
        "first_seed": f"{INTERVALS['checkpoints']} (one seed)",
    }
    return {kind: name for kind, name in names.items() if kind in cells.coverage}


def interval_of(pair: SidePair, kind: str) -> tuple[float, Interval]:
    """Return a pair's difference and its interval of a kind, which `kinds` has."""
    first = kind == "first_seed"
    interval = (
        pair.first_seed.checkpoints
        if first
        else pair.interval("method" if kind == "method" else "checkpoints")
    )
    if interval is None:
        raise ValueError(f"pair {pair.pair} has no interval {kind}")
    return pair.first_seed.value if first else pair.value, interval
