"""What stands above and under a comparison: caption, intervals, what it could have detected, recipes."""

from __future__ import annotations

from harness.reports.footnotes import ONE_SEED, made_on, origins, two_intervals
from harness.reports.text import (
    Cells,
    column_style,
    dataset_text,
    list_text,
    points_text,
    primary_position,
    unit_text,
)


def caption(cells: Cells) -> str:
    """Return what the table shows: source, collection, scale, seeds, unit; a simulation is named first."""
    datasets = list_text(list(dict.fromkeys(dataset_text(c) for c in cells["columns"] if c["published"])))
    published = f"Published figures on {datasets}; reproduced" if datasets else "Made"
    spread = "; ± is the standard deviation over seeds" if len(cells["seeds"]) > 1 else ""
    return (
        f"{'Simulation. ' if cells['simulation'] else ''}{cells['source']}. {published} on {made_on(cells)}. "
        f"All figures in {unit_text(cells)}{spread}."
    )


def footnotes(cells: Cells) -> list[str]:
    """Return the lines under a table, the most important first."""
    return [
        *([ONE_SEED] if len(cells["seeds"]) == 1 else [f"{two_intervals(cells)} {_holm(cells)}"]),
        _detectable(cells),
        *_recipes(cells),
        *origins(cells),
    ]


def _holm(cells: Cells) -> str:
    others = "other measures and datasets" if "collections" in cells else "other measures"
    family = "the rows and the pairs" if "pairs" in cells else "the rows"
    return f"Holm's correction is over {family} in {cells['primary']}; {others} are unadjusted."


def _detectable(cells: Cells) -> str:
    """The smallest difference, in points of the primary column."""
    style = column_style(cells, primary_position(cells))
    points = points_text(cells)
    named = {"checkpoints": "these checkpoints", "method": "the method"}
    found = [
        f"{style.number(cells['smallest_difference'][kind])} {points} for {name}"
        for kind, name in named.items()
        if cells["smallest_difference"][kind] is not None
    ]
    what = list_text(found) if found else "not known, nothing was compared"
    return f"Smallest difference in {cells['primary']} to be found with a power of 80 %, before Holm: {what}."


def _recipes(cells: Cells) -> list[str]:
    """One line if all rows with a sampler share a recipe, else a line each."""
    sampled = [row for row in cells["rows"] if row["recipe"] and row["sampler"]]
    recipes = sorted({row["recipe"] for row in sampled})
    if len(recipes) == 1:
        return [f"Recipe: {recipes[0]}, the same for all rows with a sampler."]
    return [f"Recipe of {row['name']}: {row['recipe']}." for row in cells["rows"] if row["recipe"]]
