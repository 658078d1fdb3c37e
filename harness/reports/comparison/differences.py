"""The tables of differences: the primary measure by itself, then the others, unadjusted.

First those to the baseline, then those of the pairs of rows that a target names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.reports.comparison.marks import best_interval
from harness.reports.document import Column, Table, fields
from harness.reports.text import (
    NOTHING,
    Cells,
    Style,
    column_style,
    compared_rows,
    p_text,
    positions,
    primary_position,
    row_text,
)

NOT_MADE = {"value": None, "published": None, "checkpoints": None, "method": None, "holm_p": None}
"""The difference of a pair of which a row was not made."""


def primary_differences(cells: Cells) -> Table:
    """Return a line for each row compared, on the primary measure, with Holm's p-value."""
    position = primary_position(cells)
    published = bool(positions(cells, published=True))
    columns = [Column("Row", names=True, brief=f"{cells['primary']}, to {cells['baseline']}")]
    columns += [*_columns(cells, published, brief=True), Column("p (Holm)")]
    rows = []
    for row in compared_rows(cells, position):
        block = row["cells"][position]["difference"]
        values = _values(cells, block, column_style(cells, position), published)
        rows.append(fields([row_text(cells, row), *values, p_text(block["holm_p"])]))
    return Table(f"Difference to {cells['baseline']} in {cells['primary']}", tuple(columns), tuple(rows))


def further_differences(cells: Cells, which: str, shown: Sequence[int]) -> Table:
    """Return a line for each measure but the primary and each row compared.

    Args:
        cells: content of `cells.json`.
        which: for the title.
        shown: positions of the columns.
    """
    others = [position for position in shown if position != primary_position(cells)]
    published = any(cells["columns"][position]["published"] for position in others)
    columns = [Column("Measure", names=True), Column("Row", names=True), *_columns(cells, published)]
    rows = []
    for position in others:
        style, label = column_style(cells, position), cells["columns"][position]["label"]
        for row in compared_rows(cells, position):
            values = _values(cells, row["cells"][position]["difference"], style, published)
            rows.append(fields([label, row_text(cells, row), *values]))
    title = f"Difference to {cells['baseline']} {which}"
    return Table(title, tuple(columns), tuple(rows), _unadjusted(rows))


def pair_differences(cells: Cells) -> Table:
    """Return a line for each pair that is named, on the primary measure, with Holm's p-value."""
    position = primary_position(cells)
    published = bool(positions(cells, published=True))
    columns = [Column("Row", names=True, brief=cells["primary"]), Column("minus", names=True, brief="minus")]
    columns += [*_columns(cells, published, brief=True), Column("p (Holm)")]
    rows = []
    for names, block in _pairs(cells, position):
        values = _values(cells, block, column_style(cells, position), published)
        rows.append(fields([*names, *values, p_text(block["holm_p"])]))
    return Table(f"Differences of pairs in {cells['primary']}", tuple(columns), tuple(rows))


def further_pair_differences(cells: Cells) -> Table:
    """Return a line for each measure but the primary and each pair."""
    others = [place for place in range(len(cells["columns"])) if place != primary_position(cells)]
    published = any(cells["columns"][position]["published"] for position in others)
    columns = [Column(name, names=True) for name in ("Measure", "Row", "minus")]
    rows = []
    for position in others:
        style, label = column_style(cells, position), cells["columns"][position]["label"]
        for names, block in _pairs(cells, position):
            rows.append(fields([label, *names, *_values(cells, block, style, published)]))
    columns += _columns(cells, published)
    return Table("Differences of pairs in the other measures", tuple(columns), tuple(rows), _unadjusted(rows))


def _pairs(cells: Cells, position: int) -> Iterator[tuple[list[str], Mapping[str, Any]]]:
    """Yield the rows of each pair as they are called, and their difference in a column."""
    named = {row["name"]: row_text(cells, row) for row in cells["rows"]}
    for pair in cells.get("pairs", []):
        yield [named[name] for name in pair["rows"]], pair["cells"][position] or NOT_MADE


def _unadjusted(rows: Sequence[Any]) -> str:
    return "Intervals are not adjusted for the number of rows and measures." if rows else ""


def _columns(cells: Cells, published: bool, *, brief: bool = False) -> list[Column]:
    level, best = f"{cells['level'] * 100:g} % interval", best_interval(cells)
    kinds = {"checkpoints": "these checkpoints"}
    kinds |= {"method": "the method"} if len(cells["seeds"]) > 1 else {}
    short = f"{cells['level'] * 100:g} %, {kinds[best]}" if brief else None
    return [
        *(
            [Column("published", brief="paper" if brief else None), Column("its rounding")]
            if published
            else []
        ),
        Column("reproduced", brief="here" if brief else None),
        *(Column(f"of {name}", level, brief=short if kind == best else None) for kind, name in kinds.items()),
    ]


def _values(cells: Cells, block: Mapping[str, Any], style: Style, published: bool) -> list[str]:
    printed = block["published"]
    both = (
        [style.number(printed["value"], signed=True), style.interval(printed)] if printed else [NOTHING] * 2
    )
    several = len(cells["seeds"]) > 1
    return [
        *(both if published else []),
        style.number(block["value"], signed=True),
        style.interval(block["checkpoints"]),
        *([style.interval(block["method"])] if several else []),
    ]
