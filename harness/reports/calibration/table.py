"""The document of a calibration, coverage first, then every pair; and the pairs as CSV."""

from __future__ import annotations

import pandas as pd

from harness.evaluation.calibration import covers
from harness.reports.calibration.cells import CalibrationCells, interval_of, kinds
from harness.reports.document import Document, Field, Table, TableColumn, fields, filled, noted
from harness.reports.footnotes import ONE_SEED, last_line, made_on, origins, plot, two_intervals, verdict
from harness.reports.renderers.csv import render_frame
from harness.reports.text import NOTHING, part_text, points_text, row_text, unit_style


def calibration_document(cells: CalibrationCells) -> Document:
    """Return the report: coverage, figure, pairs, notes."""
    figure = plot("The interval of each pair, with a panel for each kind; those that miss 0 are highlighted.")
    blocks = filled(coverage_table(cells), figure, _pairs(cells), noted("Notes", _footnotes(cells)))
    title, introduction = f"{cells.target}: {cells.title}", (_caption(cells), verdict(cells))
    return Document(title, introduction, blocks, made_on(cells), last_line(cells))


def coverage_table(cells: CalibrationCells) -> Table:
    """Return a table with the number of intervals of each kind that cover 0, beside their level."""
    level, style = f"{cells.level * 100:g} %", unit_style(cells.unit, unit_style(cells.unit).decimals + 1)
    points, interval_heading = points_text(cells.unit), f"{level} CI of the coverage"
    columns = (
        TableColumn("Interval", names=True, brief="interval"),
        TableColumn("covers 0", brief="covers 0"),
        TableColumn("nominal", brief="nominal"),
        TableColumn(interval_heading, brief="its CI"),
        TableColumn(f"mean width ({points})"),
        TableColumn(f"sd of differences ({points})"),
    )
    rows = []
    for kind, name in kinds(cells).items():
        coverage = cells.coverage[kind]
        covered = part_text(coverage.covered, coverage.intervals)
        interval = f"[{100 * coverage.low:.1f} %, {100 * coverage.high:.1f} %]"
        spread = NOTHING if coverage.sd is None else style.number(coverage.sd)
        rows.append(fields([name, covered, level, interval, style.number(coverage.mean_width), spread]))
    return Table("Coverage", columns, tuple(rows))


def _caption(cells: CalibrationCells) -> str:
    simulation = "Simulation. " if cells.simulation else ""
    row, pairs = row_text(cells, cells.row), len(cells.pairs)
    return (
        f"{simulation}{cells.source}. Results on {made_on(cells)} for each side. {pairs} pairs of {row} "
        "against itself: both sides of a pair continue the same base runs and differ in their seeds only, so "
        f"the true difference of the method is 0. Differences in {cells.primary}, side A minus side B, "
        f"paired by seed and query, in {points_text(cells.unit)}."
    )


def _pairs(cells: CalibrationCells) -> Table:
    """Return a table with a line for each pair; intervals that miss 0 are marked."""
    style, shown = unit_style(cells.unit, unit_style(cells.unit).decimals + 1), kinds(cells)
    level = f"{cells.level * 100:g} % CI"
    columns = [TableColumn("Pair", names=True), TableColumn("difference")]
    columns += [TableColumn(name, level) for name in shown.values()]
    rows = []
    for pair in cells.pairs:
        name = Field(str(pair.pair), runs=f"{cells.row.name}: pair {pair.pair}, side A")
        line = [*fields([name, style.number(pair.value, signed=True)])]
        for kind in shown:
            _, interval = interval_of(pair, kind)
            missed = not covers(interval.low, interval.high)
            line.append(Field(f"{'misses 0: ' * missed}{style.interval(interval)}", strong=missed))
        rows.append(tuple(line))
    return Table("Pairs", tuple(columns), tuple(rows))


def _footnotes(cells: CalibrationCells) -> list[str]:
    several = len(cells.seeds) > 1
    return [
        two_intervals(cells) if several else ONE_SEED,
        "The CI over queries is for these checkpoints, which do differ: how often it misses 0 is the error "
        "of reading it as a CI for the method.",
        "The CI of the coverage is that of Clopper and Pearson; pairs have their own base runs and are "
        "independent given the collection. All lines are of the same pairs.",
        "The true difference is 0 for each query, too: the variance that queries add to a real difference is "
        "not tested.",
        f"Recipe: {cells.row.recipe}.",
        *origins(cells),
    ]


def render_calibration_csv(cells: CalibrationCells) -> str:
    """Return the pairs as CSV, one line for each pair and kind of interval, unrounded."""
    column = cells.columns[0]
    lines = []
    for pair in cells.pairs:
        for kind in kinds(cells):
            difference, interval = interval_of(pair, kind)
            lines.append(
                {
                    "target": cells.target,
                    "scale": cells.scale,
                    "collection": cells.collection_of(column.dataset).name,
                    "simulation": cells.simulation,
                    "row": cells.row.name,
                    "column": column.label,
                    "dataset": column.dataset,
                    "measure": column.measure,
                    "split": column.split,
                    "pair": pair.pair,
                    "interval": "checkpoints" if kind == "first_seed" else kind,
                    "seeds": 1 if kind == "first_seed" else len(cells.seeds),
                    "difference": difference,
                    "low": interval.low,
                    "high": interval.high,
                    "level": interval.level,
                    "covers_0": covers(interval.low, interval.high),
                }
            )
    return render_frame(pd.DataFrame(lines))
