"""Notes below the tables of all kinds of target: verdict, intervals, provenance of the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.reports.content import Cells, MadeRow, MeasuredCells, NamedRow, RunCells
from harness.reports.document import Figure, NoteItem, Notes
from harness.reports.text import MANY_FILLED, collection_text, count_text, row_text, share_text
from harness.specs.fingerprints import TRAINED_BY

ONE_SEED = (
    "One seed: the CI is over queries, for these checkpoints only, and allows no conclusion about the "
    "method; other seeds may order the rows differently."
)


NOT_PRINTED = "no paper prints figures for it, so that there is no verdict"
"""Why a table of one's own is not judged."""

MEANINGS = {"pipeline check": "the pipeline works at this scale; this is no evidence about the paper"}
"""Verdict -> what it means, of those that need it."""

LEAST_SHARE = 0.001
"""Least share that is printed."""


def made_on(cells: Cells) -> str:
    """Return the collection, the scale and the number of seeds, as text."""
    seeds = len(cells.seeds)
    return f"{collection_text(cells)} at {cells.scale} scale, {seeds} seed{'s' if seeds > 1 else ''}"


def verdict(cells: Cells) -> str:
    """Return a sentence with the verdict and its meaning, or that there is none."""
    if cells.own is not None:
        return f"This is {cells.verdict}: {NOT_PRINTED}."
    meaning = MEANINGS.get(cells.verdict)
    return f"Verdict: {cells.verdict}{f' ({meaning})' if meaning else ''}."


def last_line(cells: MeasuredCells, *more: str) -> str:
    """Return the last line of the report on the terminal: measure, collection and verdict."""
    one_seed = [ONE_SEED] if len(cells.seeds) == 1 else []
    facts = [f"{cells.primary} on {made_on(cells)}", *more, worth(cells)]
    return " ".join(["; ".join(facts), *one_seed])


def worth(cells: Cells) -> str:
    """Return the verdict in short, as the end of a sentence."""
    return f"{cells.verdict}." if cells.own is not None else f"verdict: {cells.verdict}."


def row_notes(cells: Cells, rows: Sequence[NamedRow]) -> Notes:
    """Return the summaries of the rows, and how many of their negatives were filled up."""
    said = ((row_text(cells, row), " ".join([row.summary, *_filled(row)]).strip()) for row in rows)
    return Notes("Rows", tuple(NoteItem(text, name) for name, text in said if text))


def _filled(row: NamedRow) -> list[str]:
    """Return a sentence where a sampler's law had too few candidates of positive weight."""
    if not isinstance(row, MadeRow) or not row.filled:
        return []
    share = share_text(row.filled, 1) if row.filled >= LEAST_SHARE else f"under {share_text(LEAST_SHARE, 1)}"
    return [f"Filled up: {share} of its negatives, where the law has too few candidates."]


def filled_note(shares: Mapping[str, float | None]) -> list[str]:
    """Return how many of many rows have many fillings, and which has most.

    Args:
        shares: name of a row -> share of its negatives that was filled up; none where it is not known.
    """
    known = {name: share for name, share in shares.items() if share is not None}
    many = [name for name, share in known.items() if share > MANY_FILLED]
    if not many:
        return []
    most = max(many, key=lambda name: known[name])
    return [
        f"Filled up: more than {share_text(MANY_FILLED, 0)} of the negatives of {len(many)} of {len(known)} "
        f"rows, where a law has too few candidates; most in {most}, {share_text(known[most], 0)}."
    ]


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
        *earlier(cells.stages),
        *_collection(cells),
        "Measured with: " + "; ".join(f"{name} by {by}" for name, by in sorted(cells.provider.items())) + ".",
        _settings(cells),
        *cells.reading_notes,
        *(f"Note {note.id} ({note.severity}): {note.text}" for note in cells.notes),
    ]


def earlier(stages: Mapping[str, int]) -> list[str]:
    """Return a warning about runs of an earlier version of the trainer.

    Args:
        stages: stage of a run -> its version when the runs were trained; empty where it was not recorded.
    """
    if stages == TRAINED_BY:
        return []
    return [
        "Made by an earlier version of the trainer: the same command trains all runs again, and the figures "
        "will differ."
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
