"""A target at a scale that trains as published: the recipes of its paper, where others stand in for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.specs.loaded import LoadedTarget
from harness.specs.recipe import Phase
from harness.specs.target import Line, Row, Trained


def as_published(loaded: LoadedTarget) -> LoadedTarget:
    """Return a target with the recipes that its paper trains; itself where its own are those.

    A reference row that evaluates what the shared recipe starts from evaluates what the paper's starts from.
    In a reading, recipes are those that it has for such a scale.
    """
    if not isinstance(loaded.target, Trained):
        return loaded
    shared, recipes = loaded.target.shared, loaded.recipes
    recipe = shared.published_recipe or shared.recipe
    recipe = loaded.published_recipes.get(recipe, recipe)
    starts = dict(zip(_starts(recipes[shared.recipe].last), _starts(recipes[recipe].last), strict=False))
    changes = {
        "shared": shared.model_copy(update={"recipe": recipe}),
        "rows": [_row(row, starts, loaded.published_recipes) for row in loaded.target.rows],
    }
    return replace(loaded, target=loaded.target.model_copy(update=changes))


def _row(row: Line, starts: Mapping[str, str], recipes: Mapping[str, str]) -> Line:
    if not isinstance(row, Row):
        return row
    evaluates = starts.get(row.evaluates or "", row.evaluates)
    return row.model_copy(
        update={"evaluates": evaluates, "recipe": recipes.get(row.recipe or "", row.recipe)}
    )


def _starts(phase: Phase) -> list[str]:
    """Return the phases that a phase starts from: its retriever's, then its ranker's."""
    return [start for start in phase.starts if isinstance(phase.start, str)]
