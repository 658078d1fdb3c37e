"""What stands above and under a table: caption, recipe, provider, collection, what it could have detected."""

from __future__ import annotations

from harness.reports.text import (
    Cells,
    collection_text,
    column_style,
    count_text,
    dataset_text,
    list_text,
    unit_text,
)

ONE_SEED = (
    "One seed: the interval is for these checkpoints alone and tells nothing about the method; "
    "other seeds may order the rows differently."
)


def caption(cells: Cells) -> str:
    """Return what the table shows: source, collection, scale, seeds, unit; a simulation is named first."""
    datasets = list_text(list(dict.fromkeys(dataset_text(c) for c in cells["columns"] if c["published"])))
    seeds = cells["seeds"]
    published = f"Published figures on {datasets}; reproduced" if datasets else "Made"
    several = len(seeds) > 1
    return (
        f"{'Simulation. ' if cells['simulation'] else ''}{cells['source']}. {published} on "
        f"{collection_text(cells)} at {cells['scale']} scale, {len(seeds)} seed{'s' * several}. "
        f"All figures in {unit_text(cells)}{'; ± is the standard deviation over seeds' * several}."
    )


def footnotes(cells: Cells) -> list[str]:
    """Return the lines under a table, the most important first."""
    return [
        _verdict(cells),
        *([ONE_SEED] if len(cells["seeds"]) == 1 else [_two_intervals(cells)]),
        _detectable(cells),
        *_recipes(cells),
        *_collection(cells),
        "Measured with: "
        + "; ".join(f"{name} by {by}" for name, by in sorted(cells["provider"].items()))
        + ".",
        _settings(cells),
        *cells["reading_notes"],
        *(f"Note {note['id']} ({note['severity']}): {note['text']}" for note in cells["notes"]),
    ]


def _verdict(cells: Cells) -> str:
    known = {
        "pipeline check": " (it shows that the path works at this scale; it is no evidence about the paper)"
    }
    return f"Verdict: {cells['verdict']}{known.get(cells['verdict'], '')}."


def _two_intervals(cells: Cells) -> str:
    return (
        f"Intervals at {cells['level'] * 100:g} %. These checkpoints: paired over queries, mean over seeds. "
        "The method: seeds and queries as crossed random effects, Satterthwaite degrees of freedom; "
        "where the seeds vary no more than chance, the two coincide. "
        f"Holm's correction is over the rows in {cells['primary']}; other measures are unadjusted."
    )


def _detectable(cells: Cells) -> str:
    """The smallest difference, in points of the primary column."""
    labels = [column["label"] for column in cells["columns"]]
    style = column_style(cells, labels.index(cells["primary"]))
    points = "points" if cells["unit"] == "percent" else unit_text(cells)
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


def _collection(cells: Cells) -> list[str]:
    about = cells["collection"]
    queries = ", ".join(f"{count_text(number)} {split}" for split, number in about["queries"].items())
    lines = [
        f"Collection: {collection_text(cells)}, {count_text(about['documents'])} documents; "
        f"queries: {queries}; fingerprint {about['fingerprint']}."
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
