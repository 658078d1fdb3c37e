"""A target at a scale that trains as published: the recipes of its paper, where others stand in for them."""

from __future__ import annotations

from dataclasses import replace

from harness.specs.loaded import LoadedTarget
from harness.specs.recipe import Phase
from harness.specs.samplers import SamplerChoice
from harness.specs.target import Line, Row, Trained


def as_published(loaded: LoadedTarget) -> LoadedTarget:
    """Return a target with the recipes that its paper trains; itself where its own are those.

    A reference row that evaluates what the shared recipe starts from evaluates what the paper's starts from.
    """
    if not isinstance(loaded.target, Trained):
        return loaded
    shared, recipes = loaded.target.shared, loaded.recipes
    recipe = shared.published_recipe or shared.recipe
    starts = dict(zip(_starts(recipes[shared.recipe].last), _starts(recipes[recipe].last), strict=False))
    changes = {
        "shared": shared.model_copy(update={"recipe": recipe}),
        "rows": [_row(row, starts) for row in loaded.target.rows],
    }
    return replace(loaded, target=loaded.target.model_copy(update=changes))


def published_sampler(row: Row, dataset: str) -> SamplerChoice | None:
    """Return the sampler of a row on a dataset as its paper has it; the row's own where that is no other."""
    return row.published_sampler.get(dataset, row.sampler)


def _row(row: Line, starts: dict[str, str]) -> Line:
    if not isinstance(row, Row):
        return row
    return row.model_copy(update={"evaluates": starts.get(row.evaluates or "", row.evaluates)})


def _starts(phase: Phase) -> list[str]:
    """Return the phases that a phase starts from: its retriever's, then its ranker's."""
    return [start for start in phase.starts if isinstance(phase.start, str)]
