"""The document of a comparison: means, wins and losses, the queries furthest apart, where positives lie."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare.differences import outcome
from harness.compare.positives import TOP, rank_bins
from harness.compare.result import LEVEL, Compared, MeasureLine, QueryLine
from harness.reports.document import Document, Field, Figure, Table, TableColumn, fields, filled, noted
from harness.reports.text import NOTHING, Style, count_text, list_text, p_text, part_text, share_text

PERCENT = Style(100.0, 1)

SHOWN = 3
"""How many of the documents before the first relevant one are named."""


def compare_document(found: Compared) -> Document:
    """Return the whole report; A and B stand for the two sides."""
    first = found.measures[0]
    blocks = filled(
        _means(found),
        _outcomes(found),
        Figure("figure", "Differences by query, and the ranks of relevant documents under A and B."),
        _queries(f"Largest gains of A over B in {first.label}", "A gains most", found.gains),
        _queries(f"Largest losses of A to B in {first.label}", "A loses most", found.losses),
        _joint(found),
        noted("Notes", _notes(found)),
    )
    lead = (
        f"{'Simulation. ' if found.collection.simulation else ''}A: {found.a.about}. B: {found.b.about}.",
        f"On {_made_on(found)}. Scores in %, differences are A minus B, in points.",
    )
    title = f"{found.a.name} (A) and {found.b.name} (B), query by query"
    return Document(title, lead, blocks, _made_on(found), _last(found))


def render_csv(found: Compared) -> str:
    """Return CSV, a line for each query and seed; fractions, and no rank where nothing is retrieved."""
    return str(found.lines.to_csv(index=False, lineterminator="\n"))


def _made_on(found: Compared) -> str:
    simulation = " (simulation)" if found.collection.simulation else ""
    queries = count_text(found.measures[0].outcome.queries)
    seeds = f", {_seeds(found)}" if found.a.is_row or found.b.is_row else ""
    return f"{found.collection.name}{simulation}, {queries} {found.split} queries{seeds}"


def _seeds(found: Compared) -> str:
    return f"seed{'s' if len(found.seeds) > 1 else ''} {list_text(found.seeds)}"


def _means(found: Compared) -> Table:
    """Means and their difference, with both intervals."""
    rows = [
        fields(
            [
                line.label,
                PERCENT.number(line.a),
                PERCENT.number(line.b),
                PERCENT.number(line.difference["value"], signed=True),
                PERCENT.interval(line.difference["checkpoints"]),
                PERCENT.interval(line.difference["method"]),
            ]
        )
        for line in found.measures
    ]
    level = f"{100 * LEVEL:g} %"
    columns = (
        TableColumn("Measure", names=True, brief=""),
        TableColumn("A", brief="A"),
        TableColumn("B", brief="B"),
        TableColumn("difference", brief="A - B"),
        TableColumn(f"{level}, these checkpoints", brief=f"{level}, these\ncheckpoints"),
        TableColumn(f"{level}, the method", brief=f"{level}, the\nmethod"),
    )
    return Table("", columns, tuple(rows))


def _outcomes(found: Compared) -> Table:
    """Wins, ties and losses, and of how many queries."""

    def line(of: MeasureLine) -> tuple[Field, ...]:
        whole = of.outcome.queries
        counts = (of.outcome.wins, of.outcome.ties, of.outcome.losses)
        parts = [f"{count_text(count)} ({share_text(count / whole, 0)})" for count in counts]
        return fields([of.label, count_text(whole), *parts, p_text(of.outcome.p_value)])

    names = ("queries", "A better", "equal", "B better", "p (sign test)")
    columns = (
        TableColumn("Measure", names=True, brief=""),
        *(TableColumn(name, brief=name) for name in names),
    )
    return Table("Queries won and lost", columns, tuple(map(line, found.measures)))


def _queries(title: str, brief: str, queries: Sequence[QueryLine]) -> Table:
    """Queries with their texts, scores, and what stands before the first relevant document."""
    rows = [
        fields(
            [
                line.query,
                line.text,
                PERCENT.number(line.a),
                PERCENT.number(line.b),
                _ranks(line.ranks_a),
                _ranks(line.ranks_b),
                _before(line.before_a),
                _before(line.before_b),
            ]
        )
        for line in queries
    ]
    first, before = "rank of the first relevant", "documents before it"
    columns = (
        TableColumn("Query", names=True),
        TableColumn("Text", names=True, brief=brief),
        TableColumn("A", brief="A"),
        TableColumn("B", brief="B"),
        TableColumn("A", first, brief="rank\nA"),
        TableColumn("B", first, brief="rank\nB"),
        TableColumn("A", before, names=True),
        TableColumn("B", before, names=True),
    )
    caption = "" if rows else "There is none."
    return Table(title, columns, tuple(rows), caption)


def _joint(found: Compared) -> Table:
    """Where each side ranks the relevant documents, and so the other's positives."""
    total = int(found.joint.to_numpy().sum())
    what = "relevant documents" + (", each counted once a seed" if len(found.seeds) > 1 else "")
    rows = [
        fields([f"A: {name}", *(count_text(int(count)) for count in counts)])
        for name, counts in found.joint.iterrows()
    ]
    columns = (
        TableColumn("Rank", names=True, brief="relevant\nat rank"),
        *(_bin(str(name)) for name in found.joint.columns),
    )
    caption = f"{count_text(total)} {what}. Lines: its rank under A; columns: under B."
    return Table("Where the relevant documents lie", columns, tuple(rows), caption)


def _bin(name: str) -> TableColumn:
    return TableColumn(f"B: {name}", brief=f"B:\n{name}")


def _notes(found: Compared) -> list[str]:
    ranks = found.lines[["rank_a", "rank_b"]].astype("float64").fillna(found.depth + 1)
    first = outcome(ranks["rank_b"] - ranks["rank_a"])
    seeds = ", counted by query and seed" if len(found.seeds) > 1 else ""
    higher, lower = (part_text(count, first.queries) for count in (first.wins, first.losses))
    overlap = share_text(found.lines["overlap"].mean(), 1)
    return [
        _pairing(found),
        "Sign test: two-sided, over queries that one side answers better; for these checkpoints, unadjusted.",
        f"The first relevant document (grade 2) is higher under A in {higher}, under B in {lower}{seeds}.",
        _on_top(found),
        f"Overlap of the first {TOP} documents: {overlap} of them are in both rankings, a mean over queries.",
        f"Rankings are {count_text(found.depth)} documents deep; a document beyond is not retrieved.",
        f"Collection: {found.collection.name}, {count_text(len(found.collection.documents))} documents; "
        f"fingerprint {found.collection.fingerprint}.",
    ]


def _on_top(found: Compared) -> str:
    """Say how many relevant documents come first under both sides, or under one alone."""
    first = sum(end <= TOP for _, end in rank_bins(found.depth))
    counts = found.joint.to_numpy()
    total, both = int(counts.sum()), int(counts[:first, :first].sum())
    alone = [int(of[:first].sum()) - both for of in (counts, counts.T)]
    return (
        f"Of the relevant documents {part_text(both, total)} are among the first {TOP} of both rankings, "
        f"{count_text(alone[0])} of A's alone, {count_text(alone[1])} of B's alone."
    )


def _pairing(found: Compared) -> str:
    if found.by_seed and len(found.seeds) > 1:
        return (
            f"Paired by seed and query ({_seeds(found)}). These checkpoints: over queries, mean over seeds. "
            "The method: seeds and queries as crossed random effects."
        )
    if found.by_seed:
        return (
            f"One {_seeds(found)}: the interval is for these checkpoints and tells nothing about the method."
        )
    mean = "; the row's scores are averaged over its seeds" if len(found.seeds) > 1 else ""
    return f"Not two rows, so there are no seeds to pair{mean}: the interval is for these checkpoints alone."


def _last(found: Compared) -> str:
    overlap = share_text(found.lines["overlap"].mean(), 0)
    return (
        f"On {_made_on(found)}; {overlap} of the first {TOP} documents are in both rankings. "
        "At simulation and quick scale this says nothing about a paper."
    )


def _ranks(ranks: Sequence[int | None]) -> str:
    """Return the ranks, one a seed."""
    return ", ".join(NOTHING if rank is None else str(rank) for rank in ranks)


def _before(documents: Sequence[str]) -> str:
    """Return the first documents' ids, and how many more there are."""
    more = f" and {len(documents) - SHOWN} more" if len(documents) > SHOWN else ""
    return (", ".join(documents[:SHOWN]) + more) if documents else NOTHING
