"""What stands under the table of every kind of target: verdict, intervals, where the figures come from."""

from __future__ import annotations

from harness.reports.document import Figure, NoteItem, Notes
from harness.reports.text import Cells, collection_text, count_text, row_text

ONE_SEED = (
    "One seed: the interval is for these checkpoints alone and tells nothing about the method; "
    "other seeds may order the rows differently."
)


def made_on(cells: Cells) -> str:
    """Return the collection, the scale and how many seeds."""
    seeds = len(cells["seeds"])
    return f"{collection_text(cells)} at {cells['scale']} scale, {seeds} seed{'s' if seeds > 1 else ''}"


def verdict(cells: Cells) -> str:
    """Return the verdict and what it means."""
    meanings = {
        "pipeline check": " (it shows that the path works at this scale; it is no evidence about the paper)"
    }
    return f"Verdict: {cells['verdict']}{meanings.get(cells['verdict'], '')}."


def last_line(cells: Cells, *more: str) -> str:
    """Return what ends the report on the console: made on what, and what it is worth."""
    one_seed = [ONE_SEED] if len(cells["seeds"]) == 1 else []
    facts = [f"{cells['primary']} on {made_on(cells)}", *more, f"verdict: {cells['verdict']}."]
    return " ".join(["; ".join(facts), *one_seed])


def row_notes(cells: Cells) -> Notes:
    """Return what each row is, as far as there is something to say."""
    notes = (NoteItem(row["summary"], row_text(cells, row)) for row in cells["rows"] if row["summary"])
    return Notes("Rows", tuple(notes))


def plot(what: str) -> Figure:
    """Return the figure that stands beside the tables of every kind."""
    return Figure("figure", f"{what} The tables hold the same figures.")


def two_intervals(cells: Cells) -> str:
    """Return what the two intervals are."""
    return (
        f"Intervals at {cells['level'] * 100:g} %. These checkpoints: paired over queries, mean over seeds. "
        "The method: seeds and queries as crossed random effects, each part of the variance with its own "
        "degrees of freedom; never narrower."
    )


def origins(cells: Cells) -> list[str]:
    """Return where the figures come from: collection, provider, settings, what the scale and paper leave."""
    return [
        *_collection(cells),
        "Measured with: "
        + "; ".join(f"{name} by {by}" for name, by in sorted(cells["provider"].items()))
        + ".",
        _settings(cells),
        *cells["reading_notes"],
        *(f"Note {note['id']} ({note['severity']}): {note['text']}" for note in cells["notes"]),
    ]


def _collection(cells: Cells) -> list[str]:
    collection = cells["collection"]
    queries = ", ".join(f"{count_text(number)} {split}" for split, number in collection["queries"].items())
    lines = [
        f"Collection: {collection_text(cells)}, {count_text(collection['documents'])} documents; "
        f"queries: {queries}; fingerprint {collection['fingerprint']}."
    ]
    if cells["simulation"]:
        lines.append(
            "Simulation: documents and queries are made up; the figures say nothing about real text."
        )
    return lines


def _settings(cells: Cells) -> str:
    if cells["settings_commit"] is None:
        return "Settings: no commit is named that froze them before samplers were compared."
    return f"Settings: frozen in commit {cells['settings_commit']}, before samplers were compared on them."
