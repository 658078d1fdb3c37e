"""Rows side by side: the system's, and those of the target that are there, with paired differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from harness.collections.clusters import clusters_of
from harness.collections.collection import Collection
from harness.evaluation.comparison import CellBlock, difference_block, reproduced
from harness.evaluation.score_tables import clusters_in, score_table
from harness.runs.stages import Stages
from harness.specs.resolve import Resolved, ResolvedColumn
from harness.specs.target import Line
from harness.systems.beside import SCORES, RowThere, rows_there, sources
from harness.systems.result import Cell, MeasuredOn, SystemRow
from harness.systems.system import Checkpoint, System


@dataclass(frozen=True)
class Outcome:
    """What a system reached on a collection.

    Attributes:
        measured: the collection.
        scores: per-query values of the system: split, measure, query, value.
        remarks: on a run file.
    """

    measured: MeasuredOn
    scores: pd.DataFrame
    remarks: tuple[str, ...] = ()


def rows_beside(
    resolved: Resolved | None, stages: Stages, system: System, outcomes: Sequence[Outcome]
) -> tuple[list[SystemRow], list[str]]:
    """Return all rows with their cells, the system's last, and remarks on them.

    Args:
        resolved: the target; none of a collection.
        stages: over the store.
        system: that was measured.
        outcomes: what it reached, one a dataset.
    """
    there = [
        {} if resolved is None else rows_there(resolved, stages, of.measured.measuring) for of in outcomes
    ]
    lines = list(resolved.target.rows) if resolved is not None else []
    name = _distinct(system.name, [row.name for row in lines])
    measured = [_cells(name, outcome, rows) for outcome, rows in zip(outcomes, there, strict=True)]
    rows = [
        _row(resolved, line, measured, outcomes, there)
        for line in lines
        if any(line.name in rows for rows in there) or line.published
    ]
    own = [cell for cells in measured for cell in cells[name]]
    kind = "evaluated" if isinstance(system, Checkpoint) else "run file"
    rows.append(SystemRow(name, kind, own, "measured now", 1, is_system=True))
    return rows, [remark for of in zip(outcomes, there, strict=True) for remark in _remarks(resolved, *of)]


def _distinct(name: str, known: Sequence[str]) -> str:
    return name if name not in known else f"{name} (this one)"


def _row(
    resolved: Resolved | None,
    line: Line,
    measured: Sequence[dict[str, list[Cell]]],
    outcomes: Sequence[Outcome],
    there: Sequence[dict[str, RowThere]],
) -> SystemRow:
    """Return a row of a target, over all datasets."""
    if resolved is None:
        raise ValueError("only a target has rows beside the system")
    published = dict(zip((of.label for of in resolved.columns), resolved.published(line), strict=True))
    cells: list[Cell] = []
    for of, outcome in zip(measured, outcomes, strict=True):
        columns = outcome.measured.measuring.columns
        known = of.get(line.name, [Cell(None)] * len(columns))
        printed = [published.get(column.label) if column.published else None for column in columns]
        cells += [replace(cell, published=figure) for cell, figure in zip(known, printed, strict=True)]
    found = [rows[line.name] for rows in there if line.name in rows]
    source = ", ".join(dict.fromkeys(row.source for row in found)) or "quoted"
    seeds = max((row.seeds for row in found), default=0)
    baseline = line.name == resolved.target.compared_with
    return SystemRow(line.name, line.kind, cells, source, seeds, is_baseline=baseline)


def _cells(name: str, outcome: Outcome, there: dict[str, RowThere]) -> dict[str, list[Cell]]:
    """Return the cells of the system, under a name, and of the rows that are there, on one dataset."""
    of = outcome.measured.measuring
    own = outcome.scores.assign(row=name, seed=0, dataset=of.dataset)[SCORES]
    frames = [own, *(row.scores[row.scores["split"] == of.split] for row in there.values())]
    scores = pd.concat(frames, ignore_index=True)
    if of.clusters is not None:
        scores = scores.assign(cluster=_clusters(scores, outcome.measured.collection, of.split))
    cells = {name: [Cell(_figure(scores, name, column, of.level)) for column in of.columns]}
    for row in there.values():
        cells[row.name] = [_cell(scores, name, row, column, of.level) for column in of.columns]
    return cells


def _clusters(scores: pd.DataFrame, collection: Collection, split: str) -> pd.Series:
    """Return the cluster of each line; a query of another version of the collection is one by itself."""
    return scores["query"].map(clusters_of(collection.queries[split])).fillna(scores["query"])


def _figure(scores: pd.DataFrame, row: str, column: ResolvedColumn, level: float) -> CellBlock | None:
    return reproduced(scores, row, column.model_dump(), level)


def _cell(scores: pd.DataFrame, system: str, row: RowThere, column: ResolvedColumn, level: float) -> Cell:
    """Return the cell of a row; differences are paired by query, over the mean of the row's seeds."""
    figure, place = _figure(scores, row.name, column, level), column.model_dump()
    if figure is None or not row.same:
        return Cell(figure)
    one, other = (score_table(scores, name, place) for name in (system, row.name))
    if not one.columns.equals(other.columns):
        return Cell(figure)
    paired = one.to_numpy(dtype=float).mean(axis=0) - other.to_numpy(dtype=float).mean(axis=0)
    return Cell(figure, difference_block(paired[None, :], level, clusters_in(scores, one, place)))


def _remarks(resolved: Resolved | None, outcome: Outcome, there: dict[str, RowThere]) -> Iterator[str]:
    """Yield where rows come from, and which are not paired."""
    if resolved is None:
        return
    of = outcome.measured.measuring
    on = f" on {of.dataset}" if len(resolved.target.datasets) > 1 else ""
    for source, names in sources(there).items():
        seeds = max(there[name].seeds for name in names)
        yield f"From {source}{on}, {seeds} seed{'s' if seeds > 1 else ''}: {', '.join(names)}."
    other = [name for name, row in there.items() if not row.same]
    if other:
        version = f"another version of {outcome.measured.collection.name}"
        yield f"Measured on {version}, so that queries are not paired{on}: {', '.join(other)}."
    baseline = resolved.target.compared_with
    if baseline is not None and baseline not in there:
        again = f"`harness reproduce {resolved.call} --row '{baseline}'`"
        yield f"The baseline, {baseline}, has no values here{on}; {again} makes it."
