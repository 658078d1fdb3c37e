"""An evaluation for the terminal: means of all rows, then intervals and differences of the system."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evaluation.comparison import CellBlock
from harness.reports.document import Document, Field, Table, TableColumn, fields, filled, noted
from harness.reports.text import NOTHING, Style, count_text, unit_style
from harness.systems.result import Cell, EvaluateResult, SystemRow


def evaluate_document(result: EvaluateResult) -> Document:
    """Return the report of an evaluation."""
    style = unit_style("fraction" if result.unit == "fraction" else "percent")
    blocks = filled(
        _means(result, style),
        *([_differences(result, style)] if result.scale else []),
        _own(result, style),
        noted("Notes", result.remarks),
    )
    title = f"{result.own.name}, evaluated on {result.on}"
    title += f" at scale {result.scale}" if result.scale else ""
    return Document(title, (result.system.about,), blocks, _on(result), f"On {_on(result)}.")


def _on(result: EvaluateResult) -> str:
    simulation = " (simulation)" if any(of.collection.simulation for of in result.measured) else ""
    parts = [
        f"{of.collection.name}, {count_text(len(of.collection.queries[of.measuring.split]))} "
        f"{of.measuring.split} queries"
        for of in result.measured
    ]
    return "; ".join(dict.fromkeys(parts)) + simulation


def _means(result: EvaluateResult, style: Style) -> Table:
    """Means of all rows that have values; empty where the system is the only one."""
    made = [row for row in result.rows if any(cell.figure for cell in row.cells)]
    rows = [(_name(row), *(_mean(cell, style, row) for cell in row.cells)) for row in made]
    columns = [TableColumn(of.label, brief=of.label) for of in result.columns]
    names = TableColumn("Row", names=True, brief="Row")
    return Table("", (names, *columns), tuple(rows) if len(rows) > 1 else ())


def _name(row: SystemRow) -> Field:
    marks = [] if row.kind in ("trained", "published") else [row.kind]
    marks += ["baseline"] if row.is_baseline else []
    return Field(f"{row.name} ({', '.join(marks)})" if marks else row.name, strong=row.is_system)


def _mean(cell: Cell, style: Style, row: SystemRow) -> Field:
    text = NOTHING if cell.figure is None else style.number(cell.figure["mean"])
    return Field(text, strong=row.is_system)


def _differences(result: EvaluateResult, style: Style) -> Table:
    """The primary measure: the system minus each row, paired by query."""
    level, first = f"{100 * result.level:g} % CI", result.columns[0].label
    rows = [
        fields(
            [
                _name(row),
                cell.published["printed"] if cell.published else NOTHING,
                _mean(cell, style, row),
                _interval(cell.figure, style, signed=False),
                NOTHING if cell.minus is None else style.number(cell.minus["value"], signed=True),
                _interval(cell.minus, style),
            ]
        )
        for row in result.rows
        for cell in row.cells[:1]
        if cell.figure or cell.published
    ]
    columns = (
        TableColumn("Row", names=True, brief=first),
        TableColumn("published", brief="paper"),
        TableColumn("mean", brief="here"),
        TableColumn(level, brief=level),
        TableColumn("system minus row", brief="system\nminus row"),
        TableColumn(level, "difference", brief=level),
    )
    return Table(f"{first}: intervals, and differences paired by query", columns, tuple(rows))


def _interval(block: CellBlock | None, style: Style, *, signed: bool = True) -> str:
    return NOTHING if block is None else style.interval_of(block["checkpoints"], signed=signed)


def _own(result: EvaluateResult, style: Style) -> Table:
    """All measures of the system, and its differences from the baseline."""
    level, baseline = f"{100 * result.level:g} % CI", result.baseline
    beside: Sequence[Cell] = [Cell(None)] * len(result.columns) if baseline is None else baseline.cells
    rows = [
        fields(
            [
                column.label,
                _mean(cell, style, result.own),
                _interval(cell.figure, style, signed=False),
                *(_minus(other, style) if baseline else ()),
            ]
        )
        for column, cell, other in zip(result.columns, result.own.cells, beside, strict=True)
    ]
    columns = [
        TableColumn("Measure", names=True, brief=result.own.name),
        TableColumn("mean", brief="mean"),
        TableColumn(level, brief=level),
    ]
    if baseline is not None:
        columns += [
            TableColumn("difference", f"from {baseline.name}", brief=f"minus\n{baseline.name}"),
            TableColumn(level, "difference", brief=level),
        ]
    return Table(f"{result.own.name}, all measures", tuple(columns), tuple(rows))


def _minus(cell: Cell, style: Style) -> tuple[str, str]:
    if cell.minus is None:
        return NOTHING, NOTHING
    return style.number(cell.minus["value"], signed=True), _interval(cell.minus, style)
