"""The Markdown of a calibration: coverage first, then every pair."""

from __future__ import annotations

from harness.evaluation.calibration import covers
from harness.reports.calibration.intervals import interval_of, kinds
from harness.reports.footnotes import ONE_SEED, made_on, origins, two_intervals, verdict
from harness.reports.markdown import pipe_table, section
from harness.reports.text import NOTHING, Cells, part_text, points_text, row_text, unit_style


def render_calibration(cells: Cells) -> str:
    """Return the whole report as Markdown.

    Args:
        cells: content of `cells.json`.

    Returns:
        Caption, coverage, pairs, footnotes.
    """
    sections = [
        f"# {cells['target']}: {cells['title']}",
        _caption(cells),
        section("Coverage", coverage_table(cells)),
        section("Pairs", _pairs(cells)),
        section("Notes", "\n".join(f"- {line}" for line in _footnotes(cells))),
    ]
    return "\n\n".join(part for part in sections if part) + "\n"


def coverage_table(cells: Cells) -> str:
    """Return how many intervals of each kind cover 0, beside their level."""
    level, style = f"{cells['level'] * 100:g} %", unit_style(cells, unit_style(cells).decimals + 1)
    points = points_text(cells)
    header = ["Interval", "covers 0", "nominal", f"{level} interval of the coverage"]
    header += [f"mean width ({points})", f"sd of differences ({points})"]
    lines = []
    for kind, name in kinds(cells).items():
        found = cells["coverage"][kind]
        covered = part_text(found["covered"], found["intervals"])
        around = f"[{100 * found['low']:.1f} %, {100 * found['high']:.1f} %]"
        spread = NOTHING if found["sd"] is None else style.number(found["sd"])
        lines.append([name, covered, level, around, style.number(found["mean_width"]), spread])
    return pipe_table(header, lines)


def _caption(cells: Cells) -> str:
    simulation = "Simulation. " if cells["simulation"] else ""
    row, pairs = row_text(cells, cells["row"]), len(cells["pairs"])
    return (
        f"{simulation}{cells['source']}. Made on {made_on(cells)} a side. {pairs} pairs of {row} against "
        "itself: the sides of a pair continue the same warm-ups and differ in their seeds alone, so the true "
        f"difference of the method is 0. Differences in {cells['primary']}, side A minus side B, paired by "
        f"seed and query, in {points_text(cells)}."
    )


def _pairs(cells: Cells) -> str:
    """A line a pair; intervals that do not cover 0 are marked."""
    style = unit_style(cells, unit_style(cells).decimals + 1)
    level, shown = f"{cells['level'] * 100:g} %", kinds(cells)
    header = ["Pair", "difference", *(f"{level}, {name}" for name in shown.values())]
    lines = []
    for pair in cells["pairs"]:
        intervals = [interval_of(pair, kind) for kind in shown]
        texts = [f"{'' if covers(of) else 'misses 0: '}{style.interval(of)}" for of in intervals]
        lines.append([str(pair["pair"]), style.number(pair["value"], signed=True), *texts])
    return pipe_table(header, lines)


def _footnotes(cells: Cells) -> list[str]:
    several = len(cells["seeds"]) > 1
    return [
        verdict(cells),
        two_intervals(cells) if several else ONE_SEED,
        "An interval for these checkpoints speaks of these checkpoints, which do differ: how often it misses "
        "0 is what it would cost to read it as one of the method.",
        "The interval of the coverage is that of Clopper and Pearson; pairs have warm-ups of their own and "
        "are independent given the collection. The lines are of the same pairs.",
        "A query's true difference is 0 here, too: what queries add to a real difference is not put to the "
        "test.",
        f"Recipe: {cells['row']['recipe']}.",
        *origins(cells),
    ]
