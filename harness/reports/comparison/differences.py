"""Differences from the baseline, then of named pairs: their tables, and the marks of reproduced figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Any

from harness.reports.comparison.content import ComparisonCells
from harness.reports.content import Difference, IntervalKind
from harness.reports.document import Field, Table, TableColumn, fields
from harness.reports.text import (
    INTERVALS,
    NOTHING,
    Style,
    column_style,
    list_text,
    p_text,
    row_field,
)

ADJUSTED, UNADJUSTED, SAME = "*", "†", "‡"
NOT_MADE = Difference(value=None, published=None, checkpoints=None, method=None, holm_p=None, detectable=None)
"""The difference of a pair of which a row was not made."""


def primary_differences(cells: ComparisonCells) -> list[Table]:
    """Return a table for each baseline, a line a compared row: the primary measure, with Holm's p-value."""
    return [_primary_differences(cells, baseline) for baseline in cells.baselines]


def _primary_differences(cells: ComparisonCells, baseline: str) -> Table:
    position = cells.primary_place
    published = bool(cells.places(published=True))
    columns = [TableColumn("Row", names=True, brief=f"{cells.primary}, vs {baseline}")]
    columns += [*_columns(cells, published, brief=True), TableColumn("p (Holm)")]
    rows = []
    for row, block in cells.compared_rows(position, baseline):
        values = _values(cells, block, column_style(cells.unit, cells.rows, position), published)
        rows.append(fields([row_field(cells, row), *values, p_text(block.holm_p)]))
    return Table(f"Difference from {baseline} in {cells.primary}", tuple(columns), tuple(rows))


def further_differences(cells: ComparisonCells, which: str, shown: Sequence[int]) -> list[Table]:
    """Return a table for each baseline, a line for each further measure and compared row.

    Args:
        cells: parsed `cells.json`.
        which: end of the title, for example "in the other measures".
        shown: positions of the columns to show; the primary one is skipped.
    """
    return [_further_differences(cells, baseline, which, shown) for baseline in cells.baselines]


def _further_differences(cells: ComparisonCells, baseline: str, which: str, shown: Sequence[int]) -> Table:
    others = [position for position in shown if position != cells.primary_place]
    published = any(cells.columns[position].published for position in others)
    columns = [
        TableColumn("Measure", names=True),
        TableColumn("Row", names=True),
        *_columns(cells, published),
    ]
    rows = []
    for position in others:
        style, label = column_style(cells.unit, cells.rows, position), cells.columns[position].label
        for row, block in cells.compared_rows(position, baseline):
            values = _values(cells, block, style, published)
            rows.append(fields([label, row_field(cells, row), *values]))
    title = f"Difference from {baseline} {which}"
    return Table(title, tuple(columns), tuple(rows), _unadjusted(rows))


def pair_differences(cells: ComparisonCells) -> Table:
    """Return a line for each pair that is named, on the primary measure; Holm's correction is over them."""
    position = cells.primary_place
    published = bool(cells.places(published=True))
    columns = [
        TableColumn("Row", names=True, brief=cells.primary),
        TableColumn("minus", names=True, brief="minus"),
    ]
    columns += [*_columns(cells, published, brief=True), TableColumn("p (Holm)")]
    rows = []
    for names, block in _pairs(cells, position):
        values = _values(cells, block, column_style(cells.unit, cells.rows, position), published)
        rows.append(fields([*names, *values, p_text(block.holm_p)]))
    return Table(f"Differences of pairs in {cells.primary}", tuple(columns), tuple(rows))


def further_pair_differences(cells: ComparisonCells) -> Table:
    """Return a line for each measure but the primary and each pair."""
    others = [place for place in range(len(cells.columns)) if place != cells.primary_place]
    published = any(cells.columns[position].published for position in others)
    columns = [TableColumn(name, names=True) for name in ("Measure", "Row", "minus")]
    rows = []
    for position in others:
        style, label = column_style(cells.unit, cells.rows, position), cells.columns[position].label
        for names, block in _pairs(cells, position):
            rows.append(fields([label, *names, *_values(cells, block, style, published)]))
    columns += _columns(cells, published)
    return Table("Differences of pairs in the other measures", tuple(columns), tuple(rows), _unadjusted(rows))


def _pairs(cells: ComparisonCells, position: int) -> Iterator[tuple[list[Field], Difference]]:
    """Yield the rows of each pair as they are called, and their difference in a column."""
    named = {row.name: row_field(cells, row) for row in cells.rows}
    for pair in cells.pairs:
        yield [named[name] for name in pair.rows], pair.cells[position] or NOT_MADE


def _unadjusted(rows: Sequence[Any]) -> str:
    return "Intervals are not adjusted for multiple comparisons." if rows else ""


def _columns(cells: ComparisonCells, published: bool, *, brief: bool = False) -> list[TableColumn]:
    level, best = f"{cells.level * 100:g} % CI", best_interval(cells)
    kinds = ["checkpoints", "method"] if len(cells.seeds) > 1 else ["checkpoints"]
    short = f"{level} {INTERVALS[best]}" if brief else None
    return [
        *(
            [
                TableColumn("published", brief="paper" if brief else None),
                TableColumn("range implied by rounding"),
            ]
            if published
            else []
        ),
        TableColumn("reproduced", brief="here" if brief else None),
        *(TableColumn(INTERVALS[kind], level, brief=short if kind == best else None) for kind in kinds),
    ]


def _values(cells: ComparisonCells, block: Difference, style: Style, published: bool) -> list[str]:
    printed = block.published
    both = [style.number(printed.value, signed=True), style.interval(printed)] if printed else [NOTHING] * 2
    several = len(cells.seeds) > 1
    return [
        *(both if published else []),
        style.number(block.value, signed=True),
        style.interval(block.checkpoints),
        *([style.interval(block.method)] if several else []),
    ]


def best_interval(cells: ComparisonCells) -> IntervalKind:
    """Return the kind of the widest interval: the method's with several seeds, else the checkpoints'."""
    return "method" if len(cells.seeds) > 1 else "checkpoints"


def significance(cells: ComparisonCells, position: int, block: Difference | None) -> str:
    """Return the significance mark of a row's difference in a column; empty if it is not significant."""
    if block is None or block.value is None:
        return ""
    if position == cells.primary_place:
        p_value = block.holm_p
        return ADJUSTED if p_value is not None and p_value < 1 - cells.level else ""
    interval = block.interval(best_interval(cells))
    return UNADJUSTED if interval and not interval.low <= 0 <= interval.high else ""


def mark_notes(cells: ComparisonCells, used: Set[str]) -> tuple[str, ...]:
    """Return an explanation of each mark in use."""
    effects = {"method": "seeds and queries as random effects", "checkpoints": "over queries"}
    effect = effects[best_interval(cells)]
    test = f"p < {1 - cells.level:.3g} against {cells.against} ({effect}"
    family = "the rows" if len(cells.baselines) == 1 else "the rows of each baseline"
    meanings = {ADJUSTED: f"Holm-adjusted over {family}", UNADJUSTED: "unadjusted"}
    tests = tuple(f"{mark}: {test}, {meaning})." for mark, meaning in meanings.items() if mark in used)
    groups = "; ".join(list_text(group) for group in cells.same_scores)
    return (*tests, f"{SAME}: the same scores on every query: {groups}.") if SAME in used else tests


def row_mark(cells: ComparisonCells, row: str) -> str:
    """Return the mark of a row whose scores are those of another on every query, seed and measure."""
    return SAME if any(row in group for group in cells.same_scores) else ""
