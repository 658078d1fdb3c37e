"""The document of a comparison, published figures beside reproduced ones; and the same cells as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from harness.reports.comparison.differences import (
    further_differences,
    further_pair_differences,
    mark_notes,
    pair_differences,
    primary_differences,
    significance,
)
from harness.reports.comparison.judgement import judgement_lines, row_lines, verdict_line
from harness.reports.comparison.ranker import ranker_table
from harness.reports.document import Document, Field, Table, TableColumn, fields, filled, noted
from harness.reports.footnotes import ONE_SEED, last_line, made_on, origins, plot, row_notes, two_intervals
from harness.reports.text import (
    INTERVALS,
    NOTHING,
    Cells,
    column_style,
    count_text,
    dataset_text,
    list_text,
    points_text,
    positions,
    primary_position,
    published_text,
    reproduced_field,
    row_data,
    row_text,
    share_text,
    trained_rows,
    unit_text,
)


def comparison_document(cells: Cells) -> Document:
    """Return the report: main table, differences, figure, further measures, negatives, verdicts, notes."""
    printed, further = positions(cells, published=True), positions(cells, published=False)
    shown, rest = (printed, further) if printed else (further, [])
    blocks = filled(
        _figures(cells, "", shown, brief=True),
        primary_differences(cells),
        further_differences(cells, "in the other measures", shown),
        pair_differences(cells),
        further_pair_differences(cells),
        plot(f"The figures of each row and their difference from {cells['baseline']}, with intervals."),
        *([_figures(cells, "Further measures", rest)] if rest else []),
        further_differences(cells, "in the further measures", rest),
        _negatives(cells),
        ranker_table(cells),
        row_notes(cells),
        noted("Verdicts", judgement_lines(cells)),
        noted("Notes", _footnotes(cells)),
    )
    title, introduction = f"{cells['target']}: {cells['title']}", (_caption(cells), verdict_line(cells))
    last = "\n".join([*row_lines(cells), last_line(cells)])
    return Document(title, introduction, blocks, made_on(cells), last)


def _caption(cells: Cells) -> str:
    """Return the caption: citation, collection, scale, seeds, unit; it names a simulation first."""
    datasets = list_text(list(dict.fromkeys(dataset_text(c) for c in cells["columns"] if c["published"])))
    published = f"Published figures on {datasets}; reproduced" if datasets else "Results"
    spread = ", ± standard deviation over seeds" if len(cells["seeds"]) > 1 else ""
    return (
        f"{'Simulation. ' if cells['simulation'] else ''}{cells['source']}. {published} on {made_on(cells)}. "
        f"All figures in {unit_text(cells)}{spread}."
    )


def _figures(cells: Cells, title: str, shown: Sequence[int], *, brief: bool = False) -> Table:
    """Return a table of rows x columns, published beside reproduced."""
    columns = [TableColumn("Row", names=True, brief="" if brief else None)]
    rows = [[Field(row_text(cells, row))] for row in cells["rows"]]
    for position in shown:
        column, style = cells["columns"][position], column_style(cells, position)
        group, published = column["label"], column["published"]
        columns += [TableColumn("published", group, brief="\npaper" if brief else None)] * published
        columns.append(TableColumn("reproduced", group, brief=f"{group}\nhere" if brief else None))
        for row, line in zip(cells["rows"], rows, strict=True):
            cell = row["cells"][position]
            line.extend([Field(published_text(cell))] * published)
            line.append(reproduced_field(cell, style, significance(cells, position, cell["difference"])))
    notes = mark_notes(cells, {field.mark for row in rows for field in row})
    return Table(title, tuple(columns), tuple(map(tuple, rows)), notes=notes)


def _negatives(cells: Cells) -> Table:
    """Return a table of false negatives among the drawn negatives, with the sampler's diagnostics."""
    header = ["false negatives drawn", "negatives drawn", "share", "effective candidates"]
    header += ["sd of s(q,d-) - s(q,d+)", "zero ReLU weights", "queries filled up"]
    rows = [
        fields([name, *_counted(trained["false_negatives"]), *_diagnosed(trained["diagnostics"])])
        for name, trained in trained_rows(cells)
        if trained["false_negatives"] or trained["diagnostics"]
    ]
    columns = (TableColumn("Row", names=True), *map(TableColumn, header))
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


def _footnotes(cells: Cells) -> list[str]:
    """Return the notes under a table, the most important first."""
    return [
        *([ONE_SEED] if len(cells["seeds"]) == 1 else [f"{two_intervals(cells)} {_holm(cells)}"]),
        _detectable(cells),
        *_recipes(cells),
        *origins(cells),
    ]


def _holm(cells: Cells) -> str:
    others = "other measures and datasets" if "collections" in cells else "other measures"
    family = "the rows and the pairs" if "pairs" in cells else "the rows"
    return f"Holm's correction is over {family} in {cells['primary']}; {others} are unadjusted."


def _detectable(cells: Cells) -> str:
    """Return a sentence with the smallest detectable difference, in points of the primary column."""
    style = column_style(cells, primary_position(cells))
    points = points_text(cells)
    texts = [
        f"{style.number(cells['smallest_difference'][kind])} {points} {name}"
        for kind, name in INTERVALS.items()
        if cells["smallest_difference"][kind] is not None
    ]
    what = list_text(texts) if texts else "unknown, nothing was compared"
    return f"Smallest detectable difference in {cells['primary']} (power 80 %, before Holm): {what}."


def _recipes(cells: Cells) -> list[str]:
    """Return one line if all rows with a sampler share a recipe, else a line for each row."""
    sampled = [row for row in cells["rows"] if row["recipe"] and row["sampler"]]
    recipes = sorted({row["recipe"] for row in sampled})
    if len(recipes) == 1:
        return [f"Recipe: {recipes[0]}, the same for all rows with a sampler."]
    return [f"Recipe of {row['name']}: {row['recipe']}." for row in cells["rows"] if row["recipe"]]


def render_csv(cells: Cells) -> str:
    """Return the cells as CSV, one line for each row and column, unrounded.

    Figures have the unit of `cells.json` (fractions, even if the paper prints percent); an empty field is
    a missing figure. Where there are pairs, a line for each pair and column follows, and `compared_with`
    names the row that a difference is from: the baseline, or the other row of a pair.
    """
    lines = [
        {**_column_data(cells, row, column), **_cell_data(cell), **_difference_data(cell["difference"] or {})}
        for row in cells["rows"]
        for column, cell in zip(cells["columns"], row["cells"], strict=True)
    ]
    if "pairs" in cells:
        lines = [{**line, "compared_with": _baseline_of(cells, line)} for line in lines]
        lines += _pair_data(cells)
    return str(pd.DataFrame(lines).to_csv(index=False, lineterminator="\n"))


def _baseline_of(cells: Cells, line: Mapping[str, Any]) -> str | None:
    return None if line["difference"] is None else str(cells["baseline"])


def _pair_data(cells: Cells) -> Iterator[dict[str, Any]]:
    """Yield the differences of pairs; the lines of the rows have the figures of their rows."""
    rows = {row["name"]: row for row in cells["rows"]}
    for pair in cells["pairs"]:
        one, other = pair["rows"]
        for column, block in zip(cells["columns"], pair["cells"], strict=True):
            made = block is not None and block["value"] is not None
            none = {"state": "ok" if made else "missing", "published": None, "reproduced": None}
            about = {**_column_data(cells, rows[one], column), **_cell_data(none)}
            yield {**about, **_difference_data(block or {}), "compared_with": other}


def _column_data(cells: Cells, row: Mapping[str, Any], column: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **row_data(cells, row, column["dataset"]),
        "column": column["label"],
        "dataset": column["dataset"],
        "measure": column["measure"],
        "split": column["split"],
    }


def _cell_data(cell: Mapping[str, Any]) -> dict[str, Any]:
    published, reproduced = cell["published"] or {}, cell["reproduced"] or {}
    return {
        "state": cell["state"],
        "published_printed": published.get("printed"),
        "published": published.get("value"),
        "reproduced": reproduced.get("mean"),
        "reproduced_sd": reproduced.get("sd"),
        "seeds": len(reproduced.get("per_seed", ())),
    }


def _difference_data(block: Mapping[str, Any]) -> dict[str, Any]:
    published = block.get("published") or {}
    line = {"difference": block.get("value"), "difference_published": published.get("value")}
    prefixes = {"published": "difference_published", "checkpoints": "checkpoints", "method": "method"}
    for name, prefix in prefixes.items():
        part = block.get(name) or {}
        line |= {f"{prefix}_low": part.get("low"), f"{prefix}_high": part.get("high")}
    level = (block.get("checkpoints") or {}).get("level")
    return {**line, "level": level, "holm_p": block.get("holm_p")}
