"""The document of statistics, published counts beside those of the collections here; and as CSV."""

from __future__ import annotations

import pandas as pd

from harness.reports.document import Document, Field, NoteItem, Notes, Table, TableColumn, filled, noted
from harness.reports.footnotes import plot, verdict
from harness.reports.renderers.csv import render_frame
from harness.reports.statistics.cells import CountedCell, CountedRow, StatisticsCells
from harness.reports.text import NOTHING, count_text, list_text, value_of


def statistics_document(cells: StatisticsCells) -> Document:
    """Return the report: counts, figure, rows, notes."""
    blocks = filled(
        _counts(cells),
        plot("Counts of each dataset as published and of the collection that replaces it."),
        Notes("Rows", tuple(NoteItem(row.summary, _named(row)) for row in cells.rows if row.summary)),
        noted("Notes", _footnotes(cells)),
    )
    title, introduction = f"{cells.target}: {cells.title}", (_caption(cells), verdict(cells))
    return Document(title, introduction, blocks, _made_on(cells), f"Counted {_made_on(cells)}.")


def _made_on(cells: StatisticsCells) -> str:
    names = list(dict.fromkeys(collection.name for collection in cells.collections.values()))
    simulation = " (simulation)" if cells.simulation else ""
    return f"on {list_text(names)}{simulation} at {cells.scale} scale"


def _caption(cells: StatisticsCells) -> str:
    return (
        f"{'Simulation. ' if cells.simulation else ''}{cells.source}. Numbers of queries in each "
        "split, and of documents. Published: of the datasets; here: of the collections that replace them, "
        f"{_made_on(cells)}."
    )


def _counts(cells: StatisticsCells) -> Table:
    columns = [TableColumn("Dataset", names=True, brief="")]
    for column in cells.columns:
        label = column.label
        columns += [
            TableColumn("published", label),
            TableColumn("here", label, brief=label),
        ]
    columns.append(TableColumn("Collection here", names=True))
    rows = []
    for row in cells.rows:
        line = [Field(_named(row))]
        for cell in row.cells:
            line += [Field(_published(cell)), _counted(cell)]
        collection = cells.collections.get(row.dataset or "")
        rows.append((*line, Field(collection.name if collection else NOTHING)))
    return Table("", tuple(columns), tuple(rows))


def _named(row: CountedRow) -> str:
    what = {"published": "not counted"}.get(row.kind, row.kind)
    return row.name if what == "counted" else f"{row.name} ({what})"


def _published(cell: CountedCell) -> str:
    return count_text(int(cell.published.printed)) if cell.published else NOTHING


def _counted(cell: CountedCell) -> Field:
    if cell.counted is not None:
        return Field(count_text(cell.counted))
    if cell.state in ("missing", "unavailable"):
        return Field(cell.state, state="missing" if cell.state == "missing" else "unavailable")
    return Field(NOTHING)


def _footnotes(cells: StatisticsCells) -> list[str]:
    fingerprints = {collection.name: collection.fingerprint for collection in cells.collections.values()}
    lines = [
        "Collections: "
        + ", ".join(f"{name}, fingerprint {fingerprint}" for name, fingerprint in fingerprints.items())
        + ".",
        "They replace the datasets so that the whole pipeline runs; they are not samples of them, and "
        "several datasets may share one.",
    ]
    if cells.simulation:
        lines.append("Simulation: documents and queries are synthetic.")
    notes = [f"Note {note.id} ({note.severity}): {note.text}" for note in cells.notes]
    return [*lines, *cells.reading_notes, *notes]


def render_statistics_csv(cells: StatisticsCells) -> str:
    """Return the counts as CSV, one line for each row and count; an empty field is a missing count."""
    lines = [
        {
            "target": cells.target,
            "scale": cells.scale,
            "row": row.name,
            "kind": row.kind,
            "dataset": row.dataset,
            "collection": value_of(cells.collections.get(row.dataset or ""), "name"),
            "column": column.label,
            "count": column.count,
            "state": cell.state,
            "published": int(cell.published.printed) if cell.published else None,
            "counted": cell.counted,
        }
        for row in cells.rows
        for column, cell in zip(cells.columns, row.cells, strict=True)
    ]
    frame = pd.DataFrame(lines).astype({"published": "Int64", "counted": "Int64"})
    return render_frame(frame)
