"""The document of sampling distributions, with a line for each query; and the chances as CSV."""

from __future__ import annotations

from harness.reports.distributions.cells import (
    DistributionsCells,
    DistributionsRow,
    Example,
    frame_of_examples,
)
from harness.reports.document import Document, Field, Table, TableColumn, filled, noted
from harness.reports.footnotes import made_on, origins, plot, row_notes, verdict, worth
from harness.reports.renderers.csv import render_frame
from harness.reports.text import list_text, row_field


def distributions_document(cells: DistributionsCells) -> Document:
    """Return the report: queries, figure, rows, notes."""
    blocks = filled(
        _queries(cells),
        plot("The chance of each candidate to be drawn, for each row and query."),
        row_notes(cells, cells.rows),
        noted("Notes", _footnotes(cells)),
    )
    last = f"Distributions on {made_on(cells)}; {worth(cells)}"
    title, introduction = f"{cells.target}: {cells.title}", (_caption(cells), verdict(cells))
    return Document(title, introduction, blocks, made_on(cells), last)


def _caption(cells: DistributionsCells) -> str:
    simulation = "Simulation. " if cells.simulation else ""
    return (
        f"{simulation}{cells.source}. Results on {made_on(cells)}: the chance of each of the {cells.ranks} "
        "best candidates of a training query to be drawn. The paper has a plot without printed figures."
    )


def _queries(cells: DistributionsCells) -> Table:
    several = len(cells.seeds) > 1
    columns = (
        TableColumn("Row", names=True),
        *((TableColumn("Seed"),) if several else ()),
        TableColumn("Query"),
        TableColumn("Positive"),
        TableColumn("Candidates above it"),
        TableColumn("Rank drawn first most often"),
        TableColumn("Its chance (%)"),
        TableColumn(f"Top {cells.ranks}, drawn first (%)"),
        TableColumn(f"Top {cells.ranks}, of n"),
    )
    lines = [
        (
            row_field(cells, row),
            *((Field(str(of.seed)),) if several else ()),
            *(Field(text) for text in _facts(cells, row, of)),
        )
        for row in cells.rows
        for of in row.examples
    ]
    return Table("Where each sampler draws", columns, tuple(lines))


def _facts(cells: DistributionsCells, row: DistributionsRow, of: Example) -> tuple[str, ...]:
    all_above = of.above == cells.ranks < row.candidates
    return (
        of.query,
        of.positive,
        f"{of.above} or more" if all_above else str(of.above),
        str(of.peak),
        f"{100 * max(of.first):.1f}",
        f"{100 * sum(of.first):.1f}",
        f"{sum(of.inclusion):.1f} of {row.negatives}",
    )


def _footnotes(cells: DistributionsCells) -> list[str]:
    recipes = list(dict.fromkeys(row.recipe for row in cells.rows if row.recipe))
    drawn = list(dict.fromkeys(f"{row.negatives} of {row.candidates}" for row in cells.rows))
    return [
        *(f"Failed: {row.name}, {row.reason}." for row in cells.rows if row.reason),
        f"Negatives and candidates of a query: {list_text(drawn)}. The candidates are those of the first "
        "refresh, mined and scored by the retriever that the row continues. Chances are computed, "
        "not counted.",
        "The paper does not say how its queries were chosen. Here all training pairs are sorted by how far "
        "the best candidate scores above the positive, and taken at even distances.",
        *([f"Recipes: {list_text(recipes)}."] if recipes else []),
        *origins(cells),
    ]


def render_distributions_csv(cells: DistributionsCells) -> str:
    """Return the chances as CSV, one line for each row, seed, query and rank, unrounded."""
    frame = frame_of_examples(cells)
    frame.insert(0, "scale", cells.scale)
    frame.insert(0, "target", cells.target)
    return render_frame(frame)
