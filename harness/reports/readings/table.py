"""The document of a specification curve: shares, means by value, pairs; and the pairs as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import pandas as pd

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
from harness.reports.footnotes import (
    ONE_SEED,
    filled_note,
    last_line,
    made_on,
    origins,
    plot,
    two_intervals,
    verdict,
)
from harness.reports.readings.cells import (
    ReadingPair,
    ReadingsCells,
    compared_row_names,
    few_seeds,
    row_label,
    sorted_pairs,
    values_of_pair,
)
from harness.reports.renderers.csv import render_frame
from harness.reports.text import (
    INTERVALS,
    NOTHING,
    list_text,
    part_text,
    points_text,
    unit_style,
    unit_text,
    value_of,
)
from harness.specs.sampler_paths import short_names, value_text

MOST, ENDS = 60, 10
"""Of more than MOST pairs, the table shows the ENDS lowest and the ENDS highest."""

SHARES, ENDS_AND_MIDDLE = ("above", "interval_above", "interval_below"), ("median", "lowest", "highest")


def readings_document(cells: ReadingsCells) -> Document:
    """Return the report: shares, figure, means of the rows, means by value, pairs with each row, notes."""
    blocks = filled(
        _summary(cells),
        plot(f"All differences between {cells.focus} and each row, sorted, above their readings."),
        _figures(cells),
        _values(cells),
        *(_pairs(cells, row) for row in compared_row_names(cells)),
        _rows(cells),
        noted("Notes", _footnotes(cells)),
    )
    title, introduction = f"{cells.target}: {cells.title}", (_caption(cells), verdict(cells))
    kinds = sorted({summary.interval for summary in cells.summary})
    intervals = [f"intervals: {cells.level * 100:g} % CI {INTERVALS[kind]}" for kind in kinds]
    return Document(title, introduction, blocks, made_on(cells), last_line(cells, *intervals))


def _caption(cells: ReadingsCells) -> str:
    simulation = "Simulation. " if cells.simulation else ""
    return (
        f"{simulation}{cells.source}. Results on {made_on(cells)}. Each row is trained under all "
        f"combinations of its readings; {cells.focus} is compared with each agreeing reading of the other "
        f"rows. Differences in {cells.primary}, paired by seed and query, in {points_text(cells.unit)}."
        f"{few_seeds(cells)}"
    )


def _summary(cells: ReadingsCells) -> Table:
    """Return a table of counts with their denominators, for each row compared with."""
    title, brief = f"{cells.focus} minus the other rows", f"{cells.focus} minus"
    if not cells.summary:
        return Table(title, (), (), "Nothing was compared: there is no reading of another row.")
    kind = INTERVALS[cells.summary[0].interval]
    group, style = f"{cells.level * 100:g} % CI {kind}", unit_style(cells.unit)
    columns = (
        TableColumn("Row", names=True, brief=brief),
        TableColumn("above 0", brief="above 0"),
        TableColumn("above 0", group, brief="CI above 0"),
        TableColumn("below 0", group, brief="interval below"),
        *(TableColumn(name, f"difference ({points_text(cells.unit)})") for name in ENDS_AND_MIDDLE),
    )
    rows = tuple(
        fields(
            [
                Field(row_label(cells, summary.row), runs=summary.row),
                *(part_text(getattr(summary, key), summary.pairs) for key in SHARES),
                *(style.number(value, signed=True) for value in (summary.median, summary.low, summary.high)),
            ]
        )
        for summary in cells.summary
    )
    return Table(title, columns, rows, _counted(cells))


def _counted(cells: ReadingsCells) -> str:
    """Return what the counts are of: distinct runs, or readings as written."""
    if not cells.counts_runs:
        return "Counts are of written combinations; which of them are the same run is not known here."
    texts = [f"{of.pairs} pairs of runs with {of.row} for {of.written} as written" for of in cells.summary]
    return f"Readings that are the same run are counted once: {list_text(texts)}."


def _figures(cells: ReadingsCells) -> Table:
    """Return a table with median, lowest and highest mean of each row's readings."""
    style, rows = unit_style(cells.unit), []
    for row in dict.fromkeys(reading.row for reading in cells.readings):
        means = [reading.mean for reading in cells.readings if reading.row == row and not reading.same_as]
        numbers = [style.number(value) for value in (median(means), min(means), max(means))]
        rows.append(fields([Field(row_label(cells, row), runs=row), str(len(means)), *numbers]))
    group = f"{cells.primary} ({unit_text(cells.unit)})"
    columns = (
        TableColumn("Row", names=True),
        TableColumn("readings"),
        *(TableColumn(name, group) for name in ENDS_AND_MIDDLE),
    )
    return Table(f"{cells.primary} of each row", columns, tuple(rows))


def _values(cells: ReadingsCells) -> Table:
    """Return a table of mean differences by value of each path, with the number of pairs and the spread."""
    compared_with, names = compared_row_names(cells), short_names(cells.paths)
    style = unit_style(cells.unit, unit_style(cells.unit).decimals + 1)
    lines = []
    for path in cells.paths:
        by_row = {block.row: block for block in cells.by_value if block.path == path}
        values = next((block.values for block in by_row.values()), [])
        for place, value in enumerate(values):
            line = [names[path], value_text(value.value)]
            for row in compared_with:
                mean = by_row[row].values[place] if row in by_row else None
                line.append(f"{style.number(mean.mean, signed=True)} (of {mean.pairs})" if mean else NOTHING)
            lines.append(line)
        if by_row:
            spreads = [
                style.number(by_row[row].spread) if row in by_row else NOTHING for row in compared_with
            ]
            lines.append([names[path], "spread", *spreads])
    columns = [TableColumn("Reading", names=True), TableColumn("Value", names=True)]
    columns += [TableColumn(row, "minus") for row in compared_with]
    return Table("Mean difference by value", tuple(columns), tuple(map(fields, lines)))


def _pairs(cells: ReadingsCells, row: str) -> Table:
    """Return a table of the pairs with a row, sorted; of many, only the lowest and the highest."""
    pairs, style = sorted_pairs(cells, row), unit_style(cells.unit)
    kinds = [kind for kind in INTERVALS if all(getattr(pair, kind) for pair in pairs)]
    paths = list(values_of_pair(cells, pairs[0]))
    columns = [
        *(TableColumn(name, names=True) for name in short_names(paths).values()),
        TableColumn("difference"),
    ]
    level = f"{cells.level * 100:g} % CI"
    columns += [TableColumn(INTERVALS[kind], level) for kind in kinds]

    def line(pair: ReadingPair) -> list[str | Field]:
        values = [_values_text(values) for values in values_of_pair(cells, pair).values()]
        difference = Field(style.number(pair.value, signed=True), runs=pair.reading)
        return [*values, difference, *(style.interval(getattr(pair, kind)) for kind in kinds)]

    lines, caption = [line(pair) for pair in pairs], ""
    if len(pairs) > MOST:
        lines = [*lines[:ENDS], ["…"] * len(columns), *lines[-ENDS:]]
        caption = f"The {ENDS} lowest and the {ENDS} highest of {len(pairs)}; table.csv has all."
    return Table(f"Pairs with {row}", tuple(columns), tuple(map(fields, lines)), caption)


def _values_text(values: Sequence[Any]) -> str:
    return " or ".join(map(value_text, values))


def _rows(cells: ReadingsCells) -> Notes:
    """Return the summaries of the rows."""
    summaries = {reading.row: reading.summary for reading in cells.readings}
    return Notes(
        "Rows", tuple(NoteItem(text, row_label(cells, row)) for row, text in summaries.items() if text)
    )


def _footnotes(cells: ReadingsCells) -> list[str]:
    recipes = list(dict.fromkeys(reading.recipe for reading in cells.readings))
    return [
        "Readings are choices, not a sample: the shares are counts of chosen readings, not probabilities; "
        "intervals are unadjusted.",
        ONE_SEED if len(cells.seeds) == 1 else two_intervals(cells),
        "Mean difference by value: over all pairs with that value (number in brackets), balanced over the "
        "other readings; spread: the largest of a reading's means minus the smallest.",
        *filled_note({reading.name: reading.filled for reading in cells.readings}),
        f"Recipe: {list_text(recipes)}.",
        *origins(cells),
    ]


def _only(values: Sequence[Any]) -> Any:
    """Return the value of a path; of several, all as one text; of none, nothing."""
    return _values_text(values) if len(values) > 1 else next(iter(values), None)


def render_readings_csv(cells: ReadingsCells) -> str:
    """Return the pairs as CSV, one line for each, unrounded; paths that a pair does not set are empty."""
    means = {reading.name: reading.mean for reading in cells.readings}
    column = cells.columns[0]
    lines = [
        {
            "target": cells.target,
            "scale": cells.scale,
            "collection": cells.collection_of(column.dataset).name,
            "simulation": cells.simulation,
            "column": column.label,
            "dataset": column.dataset,
            "measure": column.measure,
            "split": column.split,
            "focus": cells.focus,
            "row": pair.row,
            "reading": pair.reading,
            "other": pair.other,
            **{path: _only(values_of_pair(cells, pair).get(path, [])) for path in cells.paths},
            "reproduced": means[pair.reading],
            "reproduced_other": means[pair.other],
            "difference": pair.value,
            **{
                f"{kind}_{end}": value_of(getattr(pair, kind), end)
                for kind in ("checkpoints", "method")
                for end in ("low", "high")
            },
            "level": cells.level,
            "seeds": len(cells.seeds),
            **({"written_pairs": len(pair.written)} if cells.counts_runs else {}),
        }
        for pair in cells.pairs
    ]
    return render_frame(pd.DataFrame(lines))
