"""The document of a sweep, a line for each row and value, published beside reproduced; and as CSV."""

from __future__ import annotations

from typing import Any

import pandas as pd

from harness.evaluation.costs import COSTS
from harness.reports.content import MeasuredCell, SecondsColumn
from harness.reports.cost.seconds import hardware_text, seconds_field
from harness.reports.document import Document, Field, Table, TableColumn, filled, noted
from harness.reports.footnotes import (
    ONE_SEED,
    filled_note,
    last_line,
    made_on,
    origins,
    plot,
    row_notes,
    two_intervals,
    verdict,
)
from harness.reports.renderers.csv import render_frame
from harness.reports.sweep.cells import SweepCells, points_of, shown_interval, style_of
from harness.reports.text import (
    INTERVALS,
    cut,
    list_text,
    published_text,
    reproduced_field,
    row_text,
    unit_text,
    value_of,
)
from harness.specs.sampler_paths import value_text

POINT_KEYS = (
    "target",
    "scale",
    "collection",
    "simulation",
    "row",
    "kind",
    "recipe",
    "sampler",
    "parameter",
    "at",
)
"""Columns with the same value in all lines of a point."""


def sweep_document(cells: SweepCells) -> Document:
    """Return the report: figures, plot, rows, notes."""
    blocks = filled(
        _figures(cells),
        plot(f"Each row over the values of {cells.parameter}, with intervals."),
        row_notes(cells, cells.rows),
        noted("Notes", _footnotes(cells)),
    )
    title, introduction = f"{cells.target}: {cells.title}", (_caption(cells), verdict(cells))
    return Document(title, introduction, blocks, made_on(cells), last_line(cells))


def _caption(cells: SweepCells) -> str:
    spread = ", ± standard deviation over seeds" if len(cells.seeds) > 1 else ""
    published = any(cell.published for point in cells.points for cell in point.cells)
    on = f"Published figures on {cells.columns[0].dataset_title}; reproduced" if published else "Results"
    plotted = "" if published or cells.own else " The paper has a plot without printed figures."
    return (
        f"{'Simulation. ' if cells.simulation else ''}{cells.source}. {on} on {made_on(cells)}."
        f"{plotted} All figures in {unit_text(cells.unit)}{spread}."
    )


def _figures(cells: SweepCells) -> Table:
    """Return a table with a line for each point: published (if any), reproduced, interval of the mean."""
    columns = [
        TableColumn("Row", names=True, brief=""),
        TableColumn(cells.parameter, brief=cells.parameter),
    ]
    around = f"{cells.level * 100:g} % CI {INTERVALS[shown_interval(cells)]}"
    lines = [
        [Field(row_text(cells, row), runs=point.name), Field(value_text(point.at))]
        for row in cells.rows
        for point in points_of(cells, row.name)
    ]
    ordered = [point for row in cells.rows for point in points_of(cells, row.name)]
    for position, column in enumerate(cells.columns):
        style, group = style_of(cells, position), column.label
        printed = any(point.cells[position].published for point in ordered)
        columns += [TableColumn("published", group, brief="\npaper")] * printed
        columns += [TableColumn("reproduced", group, brief=f"{group}\nhere"), TableColumn(around, group)]
        for point, line in zip(ordered, lines, strict=True):
            cell = point.cells[position]
            block = cell.reproduced.interval(shown_interval(cells)) if cell.reproduced else None
            line.extend([Field(published_text(cell))] * printed)
            line.extend([reproduced_field(cell, style), Field(style.interval(block, signed=False))])
    for position, cost in enumerate(cells.costs):
        group = f"{cost.label} ({cost.unit})"
        printed = any(point.costs[position].published for point in ordered)
        columns += [TableColumn("published", group, brief="\npaper")] * printed
        columns.append(TableColumn("reproduced", group, brief=f"{group}\nhere"))
        for point, line in zip(ordered, lines, strict=True):
            seconds = point.costs[position]
            line.extend([Field(published_text(seconds))] * printed)
            line.append(seconds_field(seconds, cost.unit))
    return Table("", tuple(columns), tuple(map(tuple, lines)))


def _timed(cells: SweepCells, cost: SecondsColumn) -> str:
    return (
        f"{cost.label}: {COSTS[cost.cost]}, median over steps; quartiles over runs in brackets, "
        f"if several. Measured on {hardware_text(cells.hardware)}: not comparable with the paper's."
    )


def _footnotes(cells: SweepCells) -> list[str]:
    recipes = list(dict.fromkeys(point.recipe for point in cells.points if point.recipe))
    return [
        ONE_SEED if len(cells.seeds) == 1 else two_intervals(cells),
        "CIs are for each mean separately. Points share base runs and queries, so their differences are more "
        "precise than the CIs suggest; none is tested.",
        *(_timed(cells, cost) for cost in cells.costs),
        *filled_note({f"{point.row} at {point.at}": point.filled for point in cells.points}),
        *([f"Recipe: {list_text(recipes)}."] if recipes else []),
        *origins(cells),
    ]


def render_sweep_csv(cells: SweepCells) -> str:
    """Return the cells as CSV, one line for each point and column; an empty field is a missing figure.

    Measures are fractions, with the standard deviation over seeds; costs are medians in seconds.
    """
    kinds = {row.name: row.kind for row in cells.rows}
    lines: list[dict[str, Any]] = [
        {
            "target": cells.target,
            "scale": cells.scale,
            "collection": cells.collection_of(column.dataset).name,
            "simulation": cells.simulation,
            "row": point.row,
            "kind": kinds[point.row],
            "recipe": point.recipe,
            "sampler": point.sampler,
            "parameter": cells.parameter,
            "at": point.at,
            "column": column.label,
            "dataset": column.dataset,
            "measure": column.measure,
            "split": column.split,
            **_cell_data(cell),
            "level": cells.level,
        }
        for point in cells.points
        for column, cell in zip(cells.columns, point.cells, strict=True)
    ]
    lines += [
        {
            **{key: line[key] for key in POINT_KEYS},
            "column": cost.label,
            "measure": f"seconds, {cost.cost}",
            "state": cell.state,
            "published_printed": value_of(cell.published, "printed"),
            "published": value_of(cell.published, "value"),
            "reproduced": value_of(cell.reproduced, "median"),
            "seeds": len(value_of(cell.reproduced, "per_run") or ()),
        }
        for line, point in zip(lines[:: len(cells.columns)], cells.points, strict=True)
        for cost, cell in zip(cells.costs, point.costs, strict=True)
    ]
    return render_frame(pd.DataFrame(lines))


def _cell_data(cell: MeasuredCell) -> dict[str, Any]:
    published, reproduced = cell.published, cell.reproduced
    ends = {
        f"{kind}_{end}": cut(value_of(value_of(reproduced, kind), end), signed=False)
        for kind in ("checkpoints", "method")
        for end in ("low", "high")
    }
    return {
        "state": cell.state,
        "published_printed": value_of(published, "printed"),
        "published": value_of(published, "value"),
        "reproduced": value_of(reproduced, "mean"),
        "reproduced_sd": value_of(reproduced, "sd"),
        **ends,
        "seeds": len(value_of(reproduced, "per_seed") or ()),
    }
