"""The document of costs, seconds and then ratios to the baseline; and the seconds as CSV."""

from __future__ import annotations

import pandas as pd

from harness.evaluation.costs import COSTS, LEAST_RUNS
from harness.reports.cost.cells import CostCells, ItselfCell
from harness.reports.cost.seconds import hardware_text, seconds_field
from harness.reports.document import (
    Document,
    Field,
    NoteItem,
    Notes,
    Table,
    TableColumn,
    fields,
    filled,
    noted,
)
from harness.reports.footnotes import made_on, origins, plot, row_notes, verdict
from harness.reports.renderers.csv import render_frame
from harness.reports.text import NOTHING, list_text, published_text, row_data, row_field, value_of


def cost_document(cells: CostCells) -> Document:
    """Return the report: seconds, ratios, figure, meaning of the columns, notes."""
    notes = [NoteItem(f"{COSTS[column.cost]}.", column.label) for column in cells.costs]
    blocks = filled(
        _seconds(cells),
        _ratios(cells),
        plot("The parts of a step's seconds, for each row."),
        Notes("Columns", tuple(notes)),
        row_notes(cells, cells.rows),
        noted("Notes", _footnotes(cells)),
    )
    title, introduction = f"{cells.target}: {cells.title}", (_caption(cells), verdict(cells))
    last = f"Seconds on {made_on(cells)}; {hardware_text(cells.hardware)}."
    return Document(title, introduction, blocks, made_on(cells), last)


def _caption(cells: CostCells) -> str:
    brackets = ", with quartiles over runs in brackets" if len(cells.seeds) > 1 else ", from one run"
    simulation = "Simulation. " if cells.simulation else ""
    return (
        f"{simulation}{cells.source}. Reproduced on {made_on(cells)}, batches of {cells.batch}, "
        f"t = {cells.refresh} steps between refreshes. Machine: {hardware_text(cells.hardware)}. "
        f"Medians over steps or refreshes{brackets}."
    )


def _seconds(cells: CostCells) -> Table:
    columns = [TableColumn("Row", names=True, brief="")]
    lines = [[row_field(cells, row)] for row in cells.rows]
    for position, column in enumerate(cells.costs):
        group = f"{column.label} ({column.unit})"
        printed = any(row.cells[position].published for row in cells.rows)
        columns += [TableColumn("published", group)] * printed
        columns.append(TableColumn("reproduced", group, brief=group))
        for row, line in zip(cells.rows, lines, strict=True):
            cell = row.cells[position]
            line.extend([Field(published_text(cell))] * printed)
            line.append(seconds_field(cell, column.unit))
    return Table("", tuple(columns), tuple(map(tuple, lines)))


def _ratios(cells: CostCells) -> Table:
    """Return a table with a line for each column and row other than the baseline, and for its own halves."""
    printed = cells.own is None
    columns = (
        TableColumn("Row", names=True),
        TableColumn("Cost", names=True),
        *(TableColumn("published"),) * printed,
        TableColumn("reproduced"),
    )
    rows = [
        fields(
            [
                row_field(cells, row),
                column.label,
                *[_ratio(cell.published_ratio)] * printed,
                _ratio(cell.ratio),
            ]
        )
        for row in cells.rows
        if row.name != cells.baseline
        for column, cell in zip(cells.costs, row.cells, strict=True)
    ]
    itself = [
        fields(
            [
                Field(f"{cells.baseline}, half against half", runs=cells.baseline),
                column.label,
                *[NOTHING] * printed,
                _half_text(half),
            ]
        )
        for column, half in zip(cells.costs, cells.against_itself or (), strict=False)
    ]
    return Table(f"Ratio to {cells.baseline}", columns, (*rows, *itself))


def _half_text(half: ItselfCell | None) -> str:
    return NOTHING if half is None else f"{half.ratio:.3f} [{half.low:.3f}, {half.high:.3f}]"


def _ratio(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"


def _footnotes(cells: CostCells) -> list[str]:
    recipes = list(dict.fromkeys(row.recipe for row in cells.rows if row.recipe))
    several = len(cells.hardware) > 1
    return [
        *(f"Failed: {row.name}, {row.reason}." for row in cells.rows if row.reason),
        "Seconds are those of this machine under its load and are not comparable with the paper's. Only "
        "ratios can be compared with the paper, and they depend on encoder, batch and collection.",
        *(["Runs are from several machines: ratios between them are meaningless."] if several else []),
        *_on_chance(cells),
        *_on_similarity(cells),
        "Not counted: pauses, checkpoints, dev evaluation, and the candidates of round 0, which rows share. "
        "Seconds were recorded during training, possibly long before this table was made.",
        *([f"Recipe: {list_text(recipes)}."] if recipes else []),
        *origins(cells),
    ]


def _on_chance(cells: CostCells) -> list[str]:
    """Say what ratio there is without a difference between rows; nothing of older cells."""
    if cells.against_itself is None:
        return []
    if not any(cells.against_itself):
        return [
            f"What ratio chance and machine alone give is not known: that takes {LEAST_RUNS} seeds of the "
            "baseline, half against half."
        ]
    return [
        "Half against half: the baseline's runs of every other seed against the rest, as geometric means, "
        "with an interval of 95 %. That is what chance and machine alone give: a row's ratio inside that "
        "interval is no evidence of a difference."
    ]


def _on_similarity(cells: CostCells) -> list[str]:
    """Say to which rows the similarities of documents are charged."""
    if cells.told_apart is None:
        return []
    if not cells.told_apart:
        return [
            "Some of these runs did not time s(d+, d-) apart: it is part of mining, and of constructing "
            "candidates, in every row, whether the row's law reads it or not."
        ]
    read = [row.name for row in cells.rows if "similarity" in row.costs and row.costs["similarity"].median]
    return [f"s(d+, d-) is charged to the rows whose law reads it: {list_text(read) if read else 'none'}."]


def render_cost_csv(cells: CostCells) -> str:
    """Return the cells as CSV, one line for each row and column, in seconds; an empty field is missing."""
    lines = []
    for row in cells.rows:
        for column, cell in zip(cells.costs, row.cells, strict=True):
            published, reproduced = cell.published, cell.reproduced
            lines.append(
                {
                    **row_data(cells, row),
                    "column": column.label,
                    "cost": column.cost,
                    "state": cell.state,
                    "published_printed": value_of(published, "printed"),
                    "published": value_of(published, "value"),
                    "reproduced": value_of(reproduced, "median"),
                    "low": value_of(reproduced, "low"),
                    "high": value_of(reproduced, "high"),
                    "runs": len(value_of(reproduced, "per_run") or ()),
                    "ratio": cell.ratio,
                    "published_ratio": cell.published_ratio,
                }
            )
    return render_frame(pd.DataFrame(lines))
