"""Notes below the tables of all kinds of target: verdict, intervals, provenance of the figures."""

from __future__ import annotations

from collections.abc import Sequence

from harness.reports.content import Cells, MeasuredCells, NamedRow, RunCells
from harness.reports.document import Figure, NoteItem, Notes
from harness.reports.text import collection_text, count_text, row_text

ONE_SEED = (
    "One seed: the CI is over queries, for these checkpoints only, and allows no conclusion about the "
    "method; other seeds may order the rows differently."
)


def made_on(cells: Cells) -> str:
    """Return the collection, the scale and the number of seeds, as text."""
    seeds = len(cells.seeds)
    return f"{collection_text(cells)} at {cells.scale} scale, {seeds} seed{'s' if seeds > 1 else ''}"


def verdict(cells: Cells) -> str:
    """Return a sentence with the verdict and its meaning."""
    meanings = {"pipeline check": " (the pipeline works at this scale; this is no evidence about the paper)"}
    return f"Verdict: {cells.verdict}{meanings.get(cells.verdict, '')}."


def last_line(cells: MeasuredCells, *more: str) -> str:
    """Return the last line of the report on the terminal: measure, collection and verdict."""
    one_seed = [ONE_SEED] if len(cells.seeds) == 1 else []
    facts = [f"{cells.primary} on {made_on(cells)}", *more, f"verdict: {cells.verdict}."]
    return " ".join(["; ".join(facts), *one_seed])


def row_notes(cells: Cells, rows: Sequence[NamedRow]) -> Notes:
    """Return the summaries of the rows."""
    notes = (NoteItem(row.summary, row_text(cells, row)) for row in rows if row.summary)
    return Notes("Rows", tuple(notes))


def plot(what: str) -> Figure:
    """Return the figure of a report, with its description."""
    return Figure("figure", f"{what} The tables have the same figures.")


def two_intervals(cells: MeasuredCells) -> str:
    """Return an explanation of the two kinds of interval."""
    return (
        f"Confidence intervals (CI) at {cells.level * 100:g} %. Over queries, for these checkpoints: "
        "paired, mean over seeds. Over queries and seeds, for the method: both as crossed random effects, "
        "each variance component with its own degrees of freedom; never narrower."
    )


def origins(cells: RunCells) -> list[str]:
    """Return the provenance of the figures: collection, provider, settings, notes on scale and paper."""
    return [
        *_collection(cells),
        "Measured with: " + "; ".join(f"{name} by {by}" for name, by in sorted(cells.provider.items())) + ".",
        _settings(cells),
        *cells.reading_notes,
        *(f"Note {note.id} ({note.severity}): {note.text}" for note in cells.notes),
    ]


def _collection(cells: RunCells) -> list[str]:
    """Return what each collection holds, by the dataset that it serves where there are several."""
    titles = {column.dataset: column.dataset_title for column in cells.columns}
    lines = []
    for dataset, title in titles.items() if cells.collections else [("", "")]:
        about = cells.collection_of(dataset)
        queries = ", ".join(f"{count_text(number)} {split}" for split, number in about.queries.items())
        lines.append(
            f"Collection{f' of {title}' if title else ''}: {collection_text(cells, dataset)}, "
            f"{count_text(about.documents)} documents; queries: {queries}; "
            f"fingerprint {about.fingerprint}."
        )
        lines.extend(f"Collection{f' of {title}' if title else ''}: {said}" for said in about.account)
    if cells.simulation:
        lines.append(
            "Simulation: documents and queries are synthetic; the figures do not transfer to real text."
        )
    return lines


def _settings(cells: RunCells) -> str:
    if cells.settings_commit is None:
        return "Settings: no commit is recorded that froze them before samplers were compared."
    return f"Settings: frozen in commit {cells.settings_commit}, before any comparison of samplers on them."
