"""The document of learning curves, with a line for each step; and the points as CSV."""

from __future__ import annotations

import pandas as pd

from harness.reports.cost.seconds import hardware_text
from harness.reports.curve.cells import CurveCells, CurvePoint
from harness.reports.document import Document, Field, Table, TableColumn, filled, noted
from harness.reports.footnotes import last_line, made_on, origins, plot, row_notes, verdict
from harness.reports.renderers.csv import render_frame
from harness.reports.text import NOTHING, Style, cut, list_text, row_data, row_text, unit_style, unit_text


def curve_document(cells: CurveCells) -> Document:
    """Return the report: steps, figure, rows, notes."""
    blocks = filled(
        _steps(cells),
        plot(f"{cells.primary} of each row on {queries_text(cells)} over steps and over seconds."),
        row_notes(cells, cells.rows),
        noted("Notes", _footnotes(cells)),
    )
    title, introduction = f"{cells.target}: {cells.title}", (_caption(cells), verdict(cells))
    return Document(title, introduction, blocks, made_on(cells), last_line(cells))


def queries_text(cells: CurveCells) -> str:
    """Return which queries are watched, in words."""
    split = cells.columns[0].split
    return "the training queries" if split == "train" else f"the {split} queries"


def _caption(cells: CurveCells) -> str:
    simulation = "Simulation. " if cells.simulation else ""
    return (
        f"{simulation}{cells.source}. Results on {made_on(cells)}. The paper has a plot without "
        f"printed figures. {cells.primary} on {queries_text(cells)} in {unit_text(cells.unit)}, "
        f"mean over seeds; seconds of training on {hardware_text(cells.hardware)}."
    )


def _steps(cells: CurveCells) -> Table:
    """Return a table with a line for each step: value, interval over seeds, and seconds of each row."""
    style = unit_style(cells.unit)
    columns = [TableColumn("Step", names=True, brief="step")]
    by_row = [{point.step: point for point in row.points} for row in cells.rows]
    for row in cells.rows:
        name = row_text(cells, row)
        columns.append(TableColumn(cells.primary, name, brief=f"{name}\n{cells.primary}", runs=row.name))
        if len(cells.seeds) > 1:
            columns.append(TableColumn(f"{cells.level * 100:g} % CI over seeds", name))
        columns.append(TableColumn("seconds", name, brief="\ns"))
    lines = []
    for step in sorted({step for points in by_row for step in points}):
        line = [Field(str(step))]
        for points in by_row:
            line.extend(_fields(points.get(step), style, several=len(cells.seeds) > 1))
        lines.append(tuple(line))
    return Table("", tuple(columns), tuple(lines))


def _fields(point: CurvePoint | None, style: Style, *, several: bool) -> list[Field]:
    if point is None:
        return [Field(NOTHING)] * (2 + several)
    interval = [Field(style.interval(point if point.low is not None else None, signed=False))]
    seconds = "not recorded" if point.seconds is None else f"{point.seconds:.1f}"
    return [Field(style.number(point.mean)), *interval * several, Field(seconds)]


def _footnotes(cells: CurveCells) -> list[str]:
    level, recipes = f"{cells.level * 100:g} %", dict.fromkeys(row.recipe for row in cells.rows)
    over_seeds = (
        f"CIs at {level} are over seeds (Student's t of the seeds' values), for retraining with other seeds "
        f"on the same {cells.columns[0].split} queries. Rows share their base runs; no difference is tested."
    )
    one_seed = "One seed: other seeds may order the curves differently."
    return [
        over_seeds if len(cells.seeds) > 1 else one_seed,
        f"Step 0 is {cells.begin.name}, which all rows continue; the last step is the finished run.",
        "Seconds include steps, and re-encoding and mining at refreshes, but not pauses, checkpoints, dev "
        "evaluation and the candidates of round 0, which rows share. They are those of this machine under "
        "its load.",
        f"Recipe: {list_text(list(recipes))}.",
        *origins(cells),
    ]


def render_curve_csv(cells: CurveCells) -> str:
    """Return the points as CSV, one line for each row, step and seed, unrounded."""
    column = cells.columns[0]
    lines = [
        {
            **row_data(cells, row),
            "column": column.label,
            "dataset": column.dataset,
            "measure": column.measure,
            "split": column.split,
            "step": point.step,
            "seed": seed,
            "value": value,
            "seconds": point.seconds_per_seed[place] if point.seconds_per_seed else None,
            "mean": point.mean,
            "low": cut(point.low, signed=False),
            "high": cut(point.high, signed=False),
            "level": cells.level,
        }
        for row in cells.rows
        for point in row.points
        for place, (seed, value) in enumerate(zip(cells.seeds, point.per_seed, strict=True))
    ]
    return render_frame(pd.DataFrame(lines))
