"""A target in a reading: other samplers, recipes and K, and the same rows, columns and published figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from harness.specs.as_published import as_published
from harness.specs.loaded import LoadedTarget
from harness.specs.reading import AT, Reading, paper_of
from harness.specs.recipe import Recipe, phases_of
from harness.specs.scale import Scale
from harness.specs.target import Line, Row, Shared, Trained


@dataclass(frozen=True)
class NamedReading:
    """A reading, its name, and the recipes that it puts in the place of others."""

    name: str
    spec: Reading
    recipes: Mapping[str, Recipe]


def read_as(loaded: LoadedTarget, reading: NamedReading) -> LoadedTarget:
    """Return a target of a paper as a reading has it; what the reading does not change is left as it is.

    Args:
        loaded: the target, with runs, of a paper that the reading is of.
        reading: the reading.
    """
    target, of = loaded.trained, reading.spec.papers[paper_of(loaded.name)]
    recipes = {**loaded.recipes, **reading.recipes}
    shared = _shared(target, reading.spec.recipes, of.candidates)
    rows = [_row(loaded, row, reading.spec, recipes) for row in target.rows]
    changes = {
        "title": f"{target.title}, {reading.spec.title}",
        "shared": shared,
        "rows": rows,
        "remarks": [*target.remarks, *reading.spec.remarks],
    }
    return replace(
        loaded,
        name=f"{loaded.name}{AT}{reading.name}",
        target=target.model_copy(update=changes),
        recipes=recipes,
        reading=reading.spec,
    )


def _shared(target: Trained, recipes: Mapping[str, str], candidates: Mapping[str, int]) -> Shared:
    """Return what rows share, with K by dataset only where the datasets have several."""
    shared = target.shared
    named = {key: getattr(shared, key) for key in ("recipe", "published_recipe")}
    read: dict[str, object] = {key: recipes.get(name, name) for key, name in named.items()}
    if not candidates.keys().isdisjoint(target.datasets):
        k = {name: candidates.get(name, shared.candidates_on(name)) for name in target.datasets}
        one = next(iter(k.values()))
        read["candidates"] = one if set(k.values()) == {one} else k
    return shared.model_copy(update=read)


def _row(loaded: LoadedTarget, row: Line, reading: Reading, recipes: Mapping[str, Recipe]) -> Line:
    """Return a row with its recipe, or the phase that it evaluates, as they are read."""
    if not isinstance(row, Row):
        return row
    changes: dict[str, object] = {}
    if row.recipe is not None:
        changes["recipe"] = reading.recipes.get(row.recipe, row.recipe)
    if row.phase is not None:
        recipe, _, phase = row.phase.partition("/")
        other = f"{reading.recipes.get(recipe, recipe)}/{phase}"
        changes["evaluates"] = other if other in phases_of(recipes) else row.phase
    read = samplers(loaded, row, reading)
    if read:
        changes["note"] = f"{reading.title[0].upper()}{reading.title[1:]}: {'; '.join(read)}."
    return row.model_copy(update=changes)


def samplers(loaded: LoadedTarget, row: Row, reading: Reading) -> list[str]:
    """Return the samplers of a row that a reading changes, in words, by dataset where they differ."""
    datasets = loaded.target.datasets
    titles: dict[str, list[str]] = {}
    for name in datasets:
        choice = reading.sampler(row.sampler, name)
        if choice is not None and choice != row.sampler:
            titles.setdefault(choice.text, []).append(loaded.datasets[name].title)
    return [
        text if len(on) == len(datasets) else f"{text} on {' and '.join(on)}" for text, on in titles.items()
    ]


def changes_anything(loaded: LoadedTarget, reading: NamedReading, scales: Iterable[Scale]) -> bool:
    """Whether a target is another in a reading than as its paper prints it, at any of some scales.

    Args:
        loaded: the target.
        reading: the reading.
        scales: what is made at them; recipes of a reading may stand in for others at some alone.
    """
    if not isinstance(loaded.target, Trained) or paper_of(loaded.name) not in reading.spec.papers:
        return False
    read = read_as(loaded, reading)
    if _decisive(read) != _decisive(loaded):
        return True
    return any(scale.as_published for scale in scales) and _decisive(as_published(read)) != _decisive(
        as_published(loaded)
    )


def _decisive(loaded: LoadedTarget) -> object:
    """Return what decides the runs of a target."""
    target = loaded.trained
    rows = [row.model_dump(include={"recipe", "evaluates", "note"}) for row in target.rows]
    return target.shared, rows
