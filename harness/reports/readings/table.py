"""The Markdown of a specification curve: shares first, then values of each path, then the pairs."""

from __future__ import annotations

from statistics import median

from harness.reports.footnotes import ONE_SEED, made_on, origins, two_intervals, verdict
from harness.reports.markdown import pipe_table, section
from harness.reports.readings.pairs import INTERVALS, Pair, chosen, compared, named, sorted_pairs
from harness.reports.text import NOTHING, Cells, list_text, part_text, points_text, unit_style, unit_text
from harness.specs.expansion import short_names, value_text

MOST, ENDS = 60, 10
"""More pairs than MOST are shown by the ENDS lowest and highest."""


def render_readings(cells: Cells) -> str:
    """Return the whole report as Markdown.

    Args:
        cells: content of `cells.json`.

    Returns:
        Caption, shares, figures of the rows, means by value, pairs with each row, footnotes.
    """
    rows = compared(cells)
    sections = [
        f"# {cells['target']}: {cells['title']}",
        _caption(cells),
        section(f"{cells['focus']} minus the other rows", _summary(cells)),
        section(f"{cells['primary']} of each row", _figures(cells)),
        section("Mean difference by value", _values(cells)),
        *(section(f"Pairs with {row}", _pairs(cells, row)) for row in rows),
        section("Rows", "\n".join(_rows(cells))),
        section("Notes", "\n".join(f"- {line}" for line in _footnotes(cells))),
    ]
    return "\n\n".join(part for part in sections if part) + "\n"


def _caption(cells: Cells) -> str:
    simulation = "Simulation. " if cells["simulation"] else ""
    return (
        f"{simulation}{cells['source']}. Made on {made_on(cells)}. Each row is made under all combinations "
        f"of its readings; {cells['focus']} is compared with every reading of another row that agrees with "
        f"its own. Differences in {cells['primary']}, paired by seed and query, in {points_text(cells)}."
    )


def _summary(cells: Cells) -> str:
    """Counts with their denominators, for each row compared with."""
    if not cells["summary"]:
        return "Nothing was compared: no reading of another row was made."
    kind = INTERVALS[cells["summary"][0]["interval"]]
    level, style = f"{cells['level'] * 100:g} %, {kind}", unit_style(cells)
    header = ["Row", "above 0", f"{level}, above 0", f"{level}, below 0", "median", "lowest", "highest"]
    lines = [
        [
            named(cells, found["row"]),
            *(part_text(found[key], found["pairs"]) for key in ("above", "interval_above", "interval_below")),
            *(style.number(found[key], signed=True) for key in ("median", "low", "high")),
        ]
        for found in cells["summary"]
    ]
    return pipe_table(header, lines)


def _figures(cells: Cells) -> str:
    """How the means of each row's readings lie."""
    style, lines = unit_style(cells), []
    for row in dict.fromkeys(of["row"] for of in cells["readings"]):
        means = [of["mean"] for of in cells["readings"] if of["row"] == row]
        numbers = [style.number(value) for value in (median(means), min(means), max(means))]
        lines.append([named(cells, row), str(len(means)), *numbers])
    unit = unit_text(cells)
    return pipe_table(["Row", "readings", f"median ({unit})", "lowest", "highest"], lines)


def _values(cells: Cells) -> str:
    """A line for each value of each path and one for their spread; each mean with its number of pairs."""
    rows, names = compared(cells), short_names(cells["paths"])
    style = unit_style(cells, unit_style(cells).decimals + 1)
    lines = []
    for path in cells["paths"]:
        found = {of["row"]: of for of in cells["by_value"] if of["path"] == path}
        for place, value in enumerate(next(iter(found.values()), {"values": []})["values"]):
            line = [names[path], value_text(value["value"])]
            for row in rows:
                of = found[row]["values"][place] if row in found else None
                line.append(f"{style.number(of['mean'], signed=True)} (of {of['pairs']})" if of else NOTHING)
            lines.append(line)
        if found:
            spreads = [style.number(found[row]["spread"]) if row in found else NOTHING for row in rows]
            lines.append([names[path], "spread", *spreads])
    header = ["Reading", "Value", *(f"minus {row}" for row in rows)]
    return pipe_table(header, lines, left=2) if lines else ""


def _pairs(cells: Cells, row: str) -> str:
    """Pairs with a row, sorted; of many only the lowest and the highest."""
    pairs = sorted_pairs(cells, row)
    style, level = unit_style(cells), f"{cells['level'] * 100:g} %"
    kinds = [kind for kind in INTERVALS if all(pair[kind] for pair in pairs)]
    paths = list(chosen(cells, pairs[0]))
    header = [*short_names(paths).values(), "difference", *(f"{level}, {INTERVALS[kind]}" for kind in kinds)]

    def line(pair: Pair) -> list[str]:
        values = [value_text(value) for value in chosen(cells, pair).values()]
        difference = style.number(pair["value"], signed=True)
        return [*values, difference, *(style.interval(pair[kind]) for kind in kinds)]

    if len(pairs) <= MOST:
        return pipe_table(header, [line(pair) for pair in pairs], left=len(paths))
    lines = [*map(line, pairs[:ENDS]), ["…"] * len(header), *map(line, pairs[-ENDS:])]
    table = pipe_table(header, lines, left=len(paths))
    return f"The {ENDS} lowest and the {ENDS} highest of {len(pairs)}; all stand in table.csv.\n\n{table}"


def _rows(cells: Cells) -> list[str]:
    """One line a row on what it is."""
    summaries = {of["row"]: of["summary"] for of in cells["readings"]}
    return [f"- **{named(cells, row)}**: {text}" for row, text in summaries.items() if text]


def _footnotes(cells: Cells) -> list[str]:
    recipes = list(dict.fromkeys(of["recipe"] for of in cells["readings"]))
    return [
        verdict(cells),
        "Readings are choices, no sample: the shares count what was chosen to look at and are no "
        "probabilities; intervals are not adjusted for their number.",
        ONE_SEED if len(cells["seeds"]) == 1 else two_intervals(cells),
        "Mean difference by value: over all pairs with that value (how many in brackets), the other readings "
        "balanced; spread: the largest of a reading's means minus the smallest.",
        f"Recipe: {list_text(recipes)}.",
        *origins(cells),
    ]
