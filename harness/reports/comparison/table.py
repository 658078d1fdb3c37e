"""The document of a comparison, published figures beside reproduced ones; and the same cells as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from harness.reports.comparison.content import ComparedRow, ComparisonCells, FalseNegatives
from harness.reports.comparison.differences import (
    best_interval,
    further_differences,
    further_pair_differences,
    mark_notes,
    pair_differences,
    primary_differences,
    row_mark,
    significance,
)
from harness.reports.comparison.judgement import judgement_lines, row_lines, verdict_line
from harness.reports.comparison.ranker import ranker_table
from harness.reports.content import Difference, MeasuredCell, MeasuredColumn
from harness.reports.document import Document, Field, Table, TableColumn, fields, filled, noted
from harness.reports.footnotes import ONE_SEED, last_line, made_on, origins, plot, row_notes, two_intervals
from harness.reports.renderers.csv import render_frame
from harness.reports.text import (
    INTERVALS,
    NOTHING,
    Style,
    column_style,
    count_text,
    list_text,
    points_text,
    published_text,
    recorded_field,
    reproduced_field,
    row_data,
    row_field,
    share_text,
    unit_text,
    value_of,
)


def comparison_document(cells: ComparisonCells) -> Document:
    """Return the report: main table, differences, figure, further measures, negatives, verdicts, notes."""
    printed, further = cells.places(published=True), cells.places(published=False)
    shown, rest = (printed, further) if printed else (further, [])
    blocks = filled(
        _figures(cells, "", shown, brief=True),
        *primary_differences(cells),
        *further_differences(cells, "in the other measures", shown),
        pair_differences(cells),
        further_pair_differences(cells),
        plot(f"The figures of each row and their difference from {cells.against}, with intervals."),
        *([_figures(cells, "Further measures", rest)] if rest else []),
        *further_differences(cells, "in the further measures", rest),
        _negatives(cells),
        ranker_table(cells),
        row_notes(cells, cells.rows),
        noted("Verdicts", judgement_lines(cells)),
        noted("Notes", _footnotes(cells)),
    )
    title, introduction = f"{cells.target}: {cells.title}", (_caption(cells), verdict_line(cells))
    last = "\n".join([*row_lines(cells), last_line(cells)])
    return Document(title, introduction, blocks, made_on(cells), last)


def _caption(cells: ComparisonCells) -> str:
    """Return the caption: citation, collection, scale, seeds, unit; it names a simulation first."""
    datasets = list_text(list(dict.fromkeys(c.dataset_title for c in cells.columns if c.published)))
    published = f"Published figures on {datasets}; reproduced" if datasets else "Results"
    spread = ", ± standard deviation over seeds" if len(cells.seeds) > 1 else ""
    return (
        f"{'Simulation. ' if cells.simulation else ''}{cells.source}. {published} on {made_on(cells)}. "
        f"All figures in {unit_text(cells.unit)}{spread}."
    )


def _figures(cells: ComparisonCells, title: str, shown: Sequence[int], *, brief: bool = False) -> Table:
    """Return a table of rows x columns, published beside reproduced."""
    columns = [TableColumn("Row", names=True, brief="" if brief else None)]
    rows = [[row_field(cells, row, row_mark(cells, row.name))] for row in cells.rows]
    for position in shown:
        column, style = cells.columns[position], column_style(cells.unit, cells.rows, position)
        group, published = column.label, column.published
        columns += [TableColumn("published", group, brief="\npaper" if brief else None)] * published
        columns.append(TableColumn("reproduced", group, brief=f"{group}\nhere" if brief else None))
        for row, line in zip(cells.rows, rows, strict=True):
            cell = row.cells[position]
            line.extend([Field(published_text(cell))] * published)
            line.append(
                reproduced_field(cell, style, significance(cells, position, cells.difference(row, position)))
            )
    notes = mark_notes(cells, {field.mark for row in rows for field in row})
    return Table(title, tuple(columns), tuple(map(tuple, rows)), notes=notes)


def _negatives(cells: ComparisonCells) -> Table:
    """Return a table of what was drawn over the whole training, with diagnostics of the last round."""
    header = ["false negatives drawn", "negatives drawn", "share", "of the unlabelled relevant, by a visit"]
    header += ["negatives filled", "last round: queries filled up", "effective candidates"]
    header += ["sd of s(q,d-) - s(q,d+)", "zero ReLU weights"]
    rows = [
        fields(
            [
                recorded_field(cells, row, title),
                *_counted(of.false_negatives),
                share_text(row.filled, 1),
                *_diagnosed(of.diagnostics),
            ]
        )
        for row, title, of in cells.recorded()
        if of.false_negatives or of.diagnostics
    ]
    columns = (TableColumn("Row", names=True), *map(TableColumn, header))
    return Table("Negatives drawn", columns, tuple(rows))


def _counted(block: FalseNegatives | None) -> list[str]:
    if block is None:
        return [NOTHING] * 4
    return [
        count_text(block.known_relevant_drawn),
        count_text(block.drawn),
        share_text(block.share, 2),
        share_text(block.unlabelled, 1),
    ]


def _diagnosed(block: Mapping[str, float] | None) -> list[str]:
    if block is None:
        return [NOTHING] * 4
    rows, zero = (share_text(block.get(key), 1) for key in ("fallback_rows_share", "zero_relu_share"))
    return [rows, f"{block['effective_candidates']:.1f}", f"{block['gap_sd']:.2f}", zero]


def _footnotes(cells: ComparisonCells) -> list[str]:
    """Return the notes under a table, the most important first."""
    return [
        *([ONE_SEED] if len(cells.seeds) == 1 else [f"{two_intervals(cells)} {_holm(cells)}"]),
        *([_detectable(cells)] if cells.baselines else []),
        *_powers(cells),
        *_recipes(cells),
        *origins(cells),
    ]


def _holm(cells: ComparisonCells) -> str:
    others = "other measures and datasets" if cells.collections else "other measures"
    family = "the rows, and over the pairs as a family of their own," if cells.pairs else "the rows"
    family = family.replace("the rows", "the rows of each baseline") if len(cells.baselines) > 1 else family
    return f"Holm's correction is over {family} in {cells.primary}; {others} are unadjusted."


def _detectable(cells: ComparisonCells) -> str:
    """Return a sentence with the smallest detectable difference, in points of the primary column."""
    style = column_style(cells.unit, cells.rows, cells.primary_place)
    points = points_text(cells.unit)
    smallest = cells.smallest_difference
    by_kind = {
        "checkpoints": (smallest.checkpoints, smallest.checkpoints_range),
        "method": (smallest.method, smallest.method_range),
    }
    texts = [
        f"{style.number(value)} {points}{_range_text(style, ends)} {INTERVALS[kind]}"
        for kind, (value, ends) in by_kind.items()
        if value is not None
    ]
    what = list_text(texts) if texts else "unknown, nothing was compared"
    ranges = smallest.checkpoints_range or smallest.method_range
    estimate = f"; in brackets its own {cells.level * 100:g} % CI" if ranges else ""
    return f"Smallest detectable difference in {cells.primary} (power 80 %, before Holm{estimate}): {what}."


def _range_text(style: Style, ends: list[float] | None) -> str:
    return f" [{style.number(ends[0])}, {style.number(ends[1])}]" if ends else ""


def _powers(cells: ComparisonCells) -> list[str]:
    """Return a sentence with the power of each comparison to find the published difference, if known."""
    place = cells.primary_place
    compared = [(row.name, cells.difference(row, place)) for row in cells.rows]
    compared += [(" minus ".join(pair.rows), pair.cells[place]) for pair in cells.pairs]
    texts = [
        f"{name} {share_text(block.power, 0)} of {style.number(block.published.value, signed=True)}"
        for style in [column_style(cells.unit, cells.rows, place)]
        for name, block in compared
        if block and block.published and block.power is not None
    ]
    what = f"Power to find the published difference in {cells.primary}, were it the true one here"
    return [f"{what} ({INTERVALS[best_interval(cells)]}, before Holm): {'; '.join(texts)}."] if texts else []


def _recipes(cells: ComparisonCells) -> list[str]:
    """Return one line if all rows with a sampler share a recipe, else a line for each row."""
    sampled = [row for row in cells.rows if row.recipe and row.sampler]
    recipes = sorted({row.recipe for row in sampled if row.recipe})
    if len(recipes) == 1:
        return [f"Recipe: {recipes[0]}, the same for all rows with a sampler."]
    return [f"Recipe of {row.name}: {row.recipe}." for row in cells.rows if row.recipe]


def render_csv(cells: ComparisonCells) -> str:
    """Return the cells as CSV, one line for each row and column, unrounded.

    Figures have the unit of `cells.json` (fractions, even if the paper prints percent); an empty field is
    a missing figure. Where there are pairs, a line for each pair and column follows. With pairs or
    several baselines, `compared_with` names the row that a difference is from.
    """
    several = bool(cells.pairs) or len(cells.baselines) > 1
    lines = [
        {
            **_column_data(cells, row, column),
            **_cell_data(row.cells[position]),
            **_difference_data(block := cells.difference(row, position)),
            **({"compared_with": cells.minus(row) if block else None} if several else {}),
        }
        for row in cells.rows
        for position, column in enumerate(cells.columns)
    ]
    lines += _pair_data(cells)
    return render_frame(pd.DataFrame(lines))


def _pair_data(cells: ComparisonCells) -> Iterator[dict[str, Any]]:
    """Yield the differences of pairs; the lines of the rows have the figures of their rows."""
    rows = {row.name: row for row in cells.rows}
    for pair in cells.pairs:
        one, other = pair.rows
        for column, block in zip(cells.columns, pair.cells, strict=True):
            made = block is not None and block.value is not None
            none = MeasuredCell(state="ok" if made else "missing", published=None, reproduced=None)
            about = {**_column_data(cells, rows[one], column), **_cell_data(none)}
            yield {**about, **_difference_data(block), "compared_with": other}


def _column_data(cells: ComparisonCells, row: ComparedRow, column: MeasuredColumn) -> dict[str, Any]:
    return {
        **row_data(cells, row, column.dataset),
        "column": column.label,
        "dataset": column.dataset,
        "measure": column.measure,
        "split": column.split,
    }


def _cell_data(cell: MeasuredCell) -> dict[str, Any]:
    published, reproduced = cell.published, cell.reproduced
    return {
        "state": cell.state,
        "published_printed": value_of(published, "printed"),
        "published": value_of(published, "value"),
        "reproduced": value_of(reproduced, "mean"),
        "reproduced_sd": value_of(reproduced, "sd"),
        "seeds": len(value_of(reproduced, "per_seed") or ()),
    }


def _difference_data(block: Difference | None) -> dict[str, Any]:
    published, checkpoints = value_of(block, "published"), value_of(block, "checkpoints")
    line = {"difference": value_of(block, "value"), "difference_published": value_of(published, "value")}
    parts = {
        "difference_published": published,
        "checkpoints": checkpoints,
        "method": value_of(block, "method"),
    }
    for prefix, part in parts.items():
        line |= {f"{prefix}_{end}": value_of(part, end) for end in ("low", "high")}
    return {**line, "level": value_of(checkpoints, "level"), "holm_p": value_of(block, "holm_p")}
