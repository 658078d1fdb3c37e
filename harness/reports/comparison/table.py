"""The Markdown table: published figures beside reproduced ones, differences with intervals, footnotes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.reports.comparison.judgement import judgement_lines
from harness.reports.comparison.notes import caption, footnotes
from harness.reports.markdown import pipe_table, section
from harness.reports.text import (
    NOTHING,
    Cells,
    column_style,
    compared_rows,
    count_text,
    p_text,
    positions,
    published_text,
    reproduced_text,
    row_text,
    share_text,
)


def render_markdown(cells: Cells) -> str:
    """Return the whole report of a target as Markdown.

    Args:
        cells: content of `cells.json`.

    Returns:
        Caption, main table, differences to the baseline, further measures, false negatives, footnotes.
    """
    printed, further = positions(cells, published=True), positions(cells, published=False)
    sections = [
        f"# {cells['target']}: {cells['title']}",
        caption(cells),
        _figures(cells, printed or further),
        section(f"Difference to {cells['baseline']}", _differences(cells, printed or further)),
    ]
    if printed and further:
        sections += [
            section("Further measures", _figures(cells, further)),
            section(f"Further measures, difference to {cells['baseline']}", _differences(cells, further)),
        ]
    sections += [
        section("Negatives drawn", _negatives(cells)),
        section("Rows", "\n".join(_summaries(cells))),
        section("Verdicts", "\n".join(f"- {line}" for line in judgement_lines(cells))),
        section("Notes", "\n".join(f"- {line}" for line in footnotes(cells))),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _figures(cells: Cells, columns: Sequence[int]) -> str:
    """Rows x columns, published beside reproduced."""
    header = ["Row"]
    lines = [[row_text(cells, row)] for row in cells["rows"]]
    for position in columns:
        column, style = cells["columns"][position], column_style(cells, position)
        header += [f"{column['label']} published"] * column["published"] + [f"{column['label']} reproduced"]
        for row, line in zip(cells["rows"], lines, strict=True):
            cell = row["cells"][position]
            line.extend([published_text(cell)] * column["published"])
            line.append(reproduced_text(cell, style))
    return pipe_table(header, lines)


def _differences(cells: Cells, columns: Sequence[int]) -> str:
    """One line for each column and compared row, each interval under its name."""
    level = f"{cells['level'] * 100:g} %"
    several = len(cells["seeds"]) > 1
    published = any(cells["columns"][position]["published"] for position in columns)
    primary = any(cells["columns"][position]["label"] == cells["primary"] for position in columns)
    header = ["Measure", "Row"] + ["published [from rounding]"] * published + ["reproduced"]
    header += [f"{level}, these checkpoints"] + [f"{level}, the method"] * several + ["p (Holm)"] * primary
    lines = []
    for position in columns:
        column, style = cells["columns"][position], column_style(cells, position)
        for row in compared_rows(cells, position):
            block = row["cells"][position]["difference"]
            printed = block["published"]
            rounded = (
                f"{style.number(printed['value'], signed=True)} {style.interval(printed)}"
                if printed
                else NOTHING
            )
            line = [column["label"], row_text(cells, row)] + [rounded] * published
            line += [style.number(block["value"], signed=True), style.interval(block["checkpoints"])]
            line += [style.interval(block["method"])] * several
            lines.append(line + [_p_cell(cells, column["label"], block)] * primary)
    return pipe_table(header, lines, left=2) if lines else ""


def _p_cell(cells: Cells, label: str, block: Mapping[str, Any]) -> str:
    """Holm's p-value on the primary measure; other measures are marked."""
    if block["value"] is None:
        return NOTHING
    return p_text(block["holm_p"]) if label == cells["primary"] else "unadjusted"


def _negatives(cells: Cells) -> str:
    """Known relevant documents among the drawn ones, with the denominator, and the sampler's diagnostics."""
    header = ["Row", "known relevant", "of drawn", "share", "effective candidates"]
    header += ["spread of s(q,d-) - s(q,d+)", "zero ReLU weights", "rows that fell back"]
    lines = [
        [row_text(cells, row), *_counted(row["false_negatives"]), *_diagnosed(row["diagnostics"])]
        for row in cells["rows"]
        if row["false_negatives"] or row["diagnostics"]
    ]
    return pipe_table(header, lines) if lines else ""


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


def _summaries(cells: Cells) -> list[str]:
    """One line a row on what it is."""
    return [f"- **{row_text(cells, row)}**: {row['summary']}" for row in cells["rows"] if row["summary"]]
