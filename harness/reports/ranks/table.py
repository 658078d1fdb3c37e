"""The document over ranks, with a line for each finding; and the curves as CSV."""

from __future__ import annotations

from harness.gradients.findings import CRITERIA, OPEN
from harness.reports.document import Document, Field, NoteItem, Notes, Table, TableColumn, filled, noted
from harness.reports.footnotes import made_on, origins, plot, row_notes, verdict, worth
from harness.reports.ranks.cells import (
    READING_TITLES,
    CheckpointGradients,
    RankFinding,
    RanksCells,
    frame_of_cells,
)
from harness.reports.renderers.csv import render_frame
from harness.reports.text import NOTHING, decimal_text, list_text, row_field, row_text


def ranks_document(cells: RanksCells) -> Document:
    """Return the report: findings, figure, criteria, rows, notes."""
    criteria = {of.finding: of.criterion for row in cells.rows for c in row.checkpoints for of in c.findings}
    blocks = filled(
        _findings(cells),
        _positives(cells),
        plot("Mean and variance of the gradients of negatives at each rank, for each row."),
        Notes("Criteria", tuple(NoteItem(text, name) for name, text in criteria.items())),
        row_notes(cells, cells.rows),
        noted("Notes", _footnotes(cells)),
    )
    last = f"Gradients on {made_on(cells)}; {worth(cells)}"
    title, introduction = f"{cells.target}: {cells.title}", (_caption(cells), verdict(cells))
    return Document(title, introduction, blocks, made_on(cells), last)


def _caption(cells: RanksCells) -> str:
    simulation = "Simulation. " if cells.simulation else ""
    queries = next((of.queries for row in cells.rows for of in row.checkpoints), 0)
    drawn = " (a hashed sample)" if cells.options.get("queries") == queries else ""
    return (
        f"{simulation}{cells.source}. Results on {made_on(cells)}: gradients of the {cells.ranks} "
        f"negatives nearest to each of {queries:,} {cells.split} queries{drawn}. The paper has a plot "
        "without printed figures; its text states the findings."
    )


def _findings(cells: RanksCells) -> Table:
    """Return a table with a line for each finding, and what each row says of it under both readings."""
    columns = [TableColumn("Finding", names=True, brief="")]
    for row in cells.rows:
        columns += [
            TableColumn(heading, row_text(cells, row), brief=f"{row.name}\n{heading}", runs=row.name)
            for heading in READING_TITLES.values()
        ]
    lines = [
        (
            Field(name),
            *(Field(_answer(row.checkpoints, name, of)) for row in cells.rows for of in READING_TITLES),
        )
        for name in CRITERIA
    ]
    return Table("Findings of the paper", tuple(columns), tuple(lines))


def _answer(checkpoints: list[CheckpointGradients], finding: str, reading: str) -> str:
    """Return the answer of the checkpoints, with the deciding ratio where there is one."""
    said = [of for c in checkpoints for of in c.findings if (of.finding, of.reading) == (finding, reading)]
    if not said:
        return NOTHING
    if len(said) == 1:
        return f"{said[0].answer}: {_ratio(said[0])}"
    counts: dict[str, int] = {}
    for of in said:
        counts[of.answer] = counts.get(of.answer, 0) + 1
    return "; ".join(f"{answer}, {count} of {len(said)} seeds" for answer, count in counts.items())


def _ratio(finding: RankFinding) -> str:
    if finding.value is None or finding.low is None or finding.high is None:
        return f"no mean beyond chance ({finding.compared})"
    if finding.answer == OPEN and finding.low > finding.bound:
        return "the positives' mean rank lies beyond the last rank"
    value, low, high = (decimal_text(of, 2) for of in (finding.value, finding.low, finding.high))
    return f"{value} [{low}, {high}], bound {finding.bound:g}"


def _positives(cells: RanksCells) -> Table:
    columns = (
        TableColumn("Row", names=True),
        TableColumn("Seed"),
        TableColumn("Mean rank"),
        TableColumn("95 % CI"),
    )
    lines = [
        (
            row_field(cells, row),
            Field(str(of.seed)),
            Field(f"{of.positives.value:.1f}"),
            Field(f"[{of.positives.low:.1f}, {of.positives.high:.1f}]"),
        )
        for row in cells.rows
        for of in row.checkpoints
    ]
    return Table("Mean rank of the positives among the negatives", columns, tuple(lines))


def _footnotes(cells: RanksCells) -> list[str]:
    recipes = list(dict.fromkeys(row.recipe for row in cells.rows if row.recipe))
    return [
        *(f"Failed: {row.name}, {row.reason}." for row in cells.rows if row.reason),
        "Gradients are of the parameters of the last layer of both towers, for the loss -log(1 - s) of a "
        "negative; s is its softmax beside the positive and 15 sampled negatives, without dropout. The paper "
        "leaves open how a gradient becomes a number. Of norms: mean and variance of their norms. Of "
        "vectors: norm of their mean, trace of their covariance; the square of that norm is estimated from "
        "products of different groups of queries, since a group's product with itself is mostly noise.",
        "Each ratio is the one nearest to its bound, or furthest beyond it. The intervals of a finding's "
        "ratios hold together at 95 %, by the bootstrap over queries (of vectors: over groups of queries), "
        "for these checkpoints.",
        *([f"Recipes: {list_text(recipes)}."] if recipes else []),
        *origins(cells),
    ]


def render_ranks_csv(cells: RanksCells) -> str:
    """Return the curves as CSV, one line for each row, seed, statistic and rank, unrounded."""
    frame = frame_of_cells(cells)
    frame.insert(0, "scale", cells.scale)
    frame.insert(0, "target", cells.target)
    frame["rank"] = frame["rank"].astype("Int64")
    return render_frame(frame)
