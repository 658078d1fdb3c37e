"""The document of a comparison: means, wins and losses, largest differences, ranks of positives."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare.differences import outcome
from harness.compare.positives import TOP, rank_bins
from harness.compare.result import LEVEL, CompareResult, MeasureLine, QueryLine
from harness.reports.document import Document, Field, Figure, Table, TableColumn, fields, filled, noted
from harness.reports.renderers.csv import render_frame
from harness.reports.text import NOTHING, Style, count_text, list_text, p_text, part_text, share_text

PERCENT = Style(100.0, 1)

SHOWN = 3
"""Number of documents before the first relevant one that are named."""


def compare_document(result: CompareResult) -> Document:
    """Return the whole report; A and B are the two sides."""
    first = result.measures[0]
    blocks = filled(
        _means(result),
        _outcomes(result),
        Figure("figure", "Differences by query, and the ranks of relevant documents under A and B."),
        _queries(f"Largest gains of A over B in {first.label}", "A gains most", result.gains),
        _queries(f"Largest losses of A to B in {first.label}", "A loses most", result.losses),
        _joint(result),
        noted("Notes", _notes(result)),
    )
    introduction = (
        f"{'Simulation. ' if result.collection.simulation else ''}A: {result.a.about}. B: {result.b.about}.",
        f"On {_data_text(result)}. Scores in %, differences are A minus B, in points.",
    )
    title = f"{result.a.name} (A) and {result.b.name} (B), query by query"
    return Document(title, introduction, blocks, _data_text(result), _last(result))


def render_csv(result: CompareResult) -> str:
    """Return CSV, one line per query and seed; scores are fractions, ranks empty if nothing is retrieved."""
    return render_frame(result.lines)


def _data_text(result: CompareResult) -> str:
    simulation = " (simulation)" if result.collection.simulation else ""
    queries = count_text(result.measures[0].outcome.queries)
    seeds = f", {_seeds(result)}" if result.a.is_row or result.b.is_row else ""
    return f"{result.collection.name}{simulation}, {queries} {result.split} queries{seeds}"


def _seeds(result: CompareResult) -> str:
    return f"seed{'s' if len(result.seeds) > 1 else ''} {list_text(result.seeds)}"


def _means(result: CompareResult) -> Table:
    """Means and their difference, with both intervals."""
    rows = [
        fields(
            [
                line.label,
                PERCENT.number(line.a),
                PERCENT.number(line.b),
                PERCENT.number(line.difference["value"], signed=True),
                PERCENT.interval_of(line.difference["checkpoints"]),
                PERCENT.interval_of(line.difference["method"]),
            ]
        )
        for line in result.measures
    ]
    level = f"{100 * LEVEL:g} %"
    columns = (
        TableColumn("Measure", names=True, brief=""),
        TableColumn("A", brief="A"),
        TableColumn("B", brief="B"),
        TableColumn("difference", brief="A - B"),
        TableColumn("over queries", f"{level} CI", brief=f"{level} CI,\nqueries"),
        TableColumn("over queries and seeds", f"{level} CI", brief=f"{level} CI,\nwith seeds"),
    )
    return Table("", columns, tuple(rows))


def _outcomes(result: CompareResult) -> Table:
    """Wins, ties and losses, and of how many queries."""

    def line(of: MeasureLine) -> tuple[Field, ...]:
        whole = of.outcome.queries
        counts = (of.outcome.wins, of.outcome.ties, of.outcome.losses)
        parts = [f"{count_text(count)} ({share_text(count / whole, 0)})" for count in counts]
        return fields([of.label, count_text(whole), *parts, p_text(of.outcome.p_value)])

    names = ("queries", "A better", "equal", "B better", "p (sign test)")
    others = (TableColumn(name, brief=name) for name in names)
    columns = (TableColumn("Measure", names=True, brief=""), *others)
    return Table("Queries won and lost", columns, tuple(map(line, result.measures)))


def _queries(title: str, brief: str, queries: Sequence[QueryLine]) -> Table:
    """Queries with their texts, scores, and the documents before the first relevant one."""
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
    caption = "" if rows else "None."
    return Table(title, columns, tuple(rows), caption)


def _joint(result: CompareResult) -> Table:
    """Joint ranks of the relevant documents under both sides."""
    total = int(result.joint.to_numpy().sum())
    what = "relevant documents" + (", each counted once a seed" if len(result.seeds) > 1 else "")
    rows = [
        fields([f"A: {name}", *(count_text(int(count)) for count in counts)])
        for name, counts in result.joint.iterrows()
    ]
    columns = (
        TableColumn("Rank", names=True, brief="relevant\nat rank"),
        *(_bin(str(name)) for name in result.joint.columns),
    )
    caption = f"{count_text(total)} {what}. Rows: rank under A; columns: rank under B."
    return Table("Ranks of the relevant documents", columns, tuple(rows), caption)


def _bin(name: str) -> TableColumn:
    return TableColumn(f"B: {name}", brief=f"B:\n{name}")


def _notes(result: CompareResult) -> list[str]:
    ranks = result.lines[["rank_a", "rank_b"]].astype("float64").fillna(result.depth + 1)
    first = outcome(ranks["rank_b"] - ranks["rank_a"])
    seeds = ", counted by query and seed" if len(result.seeds) > 1 else ""
    higher, lower = (part_text(count, first.queries) for count in (first.wins, first.losses))
    overlap = share_text(result.lines["overlap"].mean(), 1)
    return [
        _pairing(result),
        *_clusters(result),
        "Sign test: two-sided, over queries that one side answers better, unadjusted.",
        f"The first relevant document (grade 2) is higher under A in {higher}, under B in {lower}{seeds}.",
        _on_top(result),
        f"Overlap of the first {TOP} documents: {overlap} of them are in both rankings, a mean over queries.",
        f"Rankings have {count_text(result.depth)} documents; others count as not retrieved.",
        f"Collection: {result.collection.name}, {count_text(len(result.collection.documents))} documents; "
        f"fingerprint {result.collection.fingerprint}.",
    ]


def _clusters(result: CompareResult) -> list[str]:
    if result.clusters is None:
        return []
    number = count_text(len(set(result.clusters.values())))
    return [
        "Queries with the same labelled positives are one cluster: intervals and sign test are over "
        f"{number} clusters of {count_text(len(result.clusters))} queries."
    ]


def _on_top(result: CompareResult) -> str:
    """Return how many relevant documents are at the top of both rankings, or of only one."""
    first = sum(end <= TOP for _, end in rank_bins(result.depth))
    counts = result.joint.to_numpy()
    total, both = int(counts.sum()), int(counts[:first, :first].sum())
    alone = [int(of[:first].sum()) - both for of in (counts, counts.T)]
    return (
        f"Of the relevant documents {part_text(both, total)} are among the first {TOP} of both rankings, "
        f"{count_text(alone[0])} only of A's, {count_text(alone[1])} only of B's."
    )


def _pairing(result: CompareResult) -> str:
    if result.by_seed and len(result.seeds) > 1:
        return (
            f"Paired by seed and query ({_seeds(result)}). CI over queries: mean over seeds. CI over queries "
            "and seeds: crossed random effects."
        )
    if result.by_seed:
        return f"One {_seeds(result)}: the interval is over queries and does not cover other seeds."
    mean = "; the row's scores are averaged over its seeds" if len(result.seeds) > 1 else ""
    return f"Not two rows, so there are no seeds to pair{mean}: the interval is over queries only."


def _last(result: CompareResult) -> str:
    overlap = share_text(result.lines["overlap"].mean(), 0)
    return (
        f"On {_data_text(result)}; {overlap} of the first {TOP} documents are in both rankings. "
        "Results at simulation, scratch and quick scale do not carry over to a paper."
    )


def _ranks(ranks: Sequence[int | None]) -> str:
    """Return the ranks, one a seed."""
    return ", ".join(NOTHING if rank is None else str(rank) for rank in ranks)


def _before(documents: Sequence[str]) -> str:
    """Return the ids of the first documents, and how many more there are."""
    more = f" and {len(documents) - SHOWN} more" if len(documents) > SHOWN else ""
    return (", ".join(documents[:SHOWN]) + more) if documents else NOTHING
