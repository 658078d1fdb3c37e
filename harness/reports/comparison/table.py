"""The document of a comparison: published figures beside reproduced ones, differences with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.reports.comparison.differences import (
    further_differences,
    further_pair_differences,
    pair_differences,
    primary_differences,
)
from harness.reports.comparison.judgement import judgement_lines, row_lines, verdict_line
from harness.reports.comparison.marks import mark_notes, significance
from harness.reports.comparison.notes import caption, footnotes
from harness.reports.comparison.ranker import ranker_table
from harness.reports.document import Column, Document, Field, Table, fields, filled, noted
from harness.reports.footnotes import last_line, made_on, plot, row_notes
from harness.reports.text import (
    NOTHING,
    Cells,
    column_style,
    count_text,
    positions,
    published_text,
    reproduced_field,
    row_text,
    share_text,
    trained_rows,
)


def comparison_document(cells: Cells) -> Document:
    """Return the whole report.

    Args:
        cells: content of `cells.json`.

    Returns:
        Main table, differences to the baseline, figure, further measures, false negatives, footnotes.
    """
    printed, further = positions(cells, published=True), positions(cells, published=False)
    shown, rest = (printed, further) if printed else (further, [])
    blocks = filled(
        _figures(cells, "", shown, brief=True),
        primary_differences(cells),
        further_differences(cells, "in the other measures", shown),
        pair_differences(cells),
        further_pair_differences(cells),
        plot(f"Each row's figures and its difference to {cells['baseline']}, with intervals."),
        *([_figures(cells, "Further measures", rest)] if rest else []),
        further_differences(cells, "in the further measures", rest),
        _negatives(cells),
        ranker_table(cells),
        row_notes(cells),
        noted("Verdicts", judgement_lines(cells)),
        noted("Notes", footnotes(cells)),
    )
    title, lead = f"{cells['target']}: {cells['title']}", (caption(cells), verdict_line(cells))
    return Document(title, lead, blocks, made_on(cells), "\n".join([*row_lines(cells), last_line(cells)]))


def _figures(cells: Cells, title: str, shown: Sequence[int], *, brief: bool = False) -> Table:
    """Rows x columns, published beside reproduced."""
    columns = [Column("Row", names=True, brief="" if brief else None)]
    rows = [[Field(row_text(cells, row))] for row in cells["rows"]]
    for position in shown:
        column, style = cells["columns"][position], column_style(cells, position)
        group, published = column["label"], column["published"]
        columns += [Column("published", group, brief="\npaper" if brief else None)] * published
        columns.append(Column("reproduced", group, brief=f"{group}\nhere" if brief else None))
        for row, line in zip(cells["rows"], rows, strict=True):
            cell = row["cells"][position]
            line.extend([Field(published_text(cell))] * published)
            line.append(reproduced_field(cell, style, significance(cells, position, cell["difference"])))
    notes = mark_notes(cells, {field.mark for row in rows for field in row})
    return Table(title, tuple(columns), tuple(map(tuple, rows)), notes=notes)


def _negatives(cells: Cells) -> Table:
    """Known relevant documents among the drawn ones, with the denominator, and the sampler's diagnostics."""
    header = ["known relevant", "of drawn", "share", "effective candidates"]
    header += ["spread of s(q,d-) - s(q,d+)", "zero ReLU weights", "rows that fell back"]
    rows = [
        fields([name, *_counted(trained["false_negatives"]), *_diagnosed(trained["diagnostics"])])
        for name, trained in trained_rows(cells)
        if trained["false_negatives"] or trained["diagnostics"]
    ]
    columns = (Column("Row", names=True), *map(Column, header))
    return Table("Negatives drawn", columns, tuple(rows))


def _counted(block: Mapping[str, Any] | None) -> list[str]:
    if block is None:
        return [NOTHING] * 3
    return [
        count_text(block["known_relevant_drawn"]),
        count_text(block["drawn"]),
        share_text(block["share"], 2),
    ]


def _diagnosed(block: Mapping[str, Any] | None) -> list[str]:
    if block is None:
        return [NOTHING] * 4
    shares = [share_text(block.get("zero_relu_share"), 1), share_text(block["fallback_rows_share"], 1)]
    return [f"{block['effective_candidates']:.1f}", f"{block['gap_sd']:.2f}", *shares]
