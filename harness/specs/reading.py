"""Readings as pydantic models: another source than a paper's text for its formulas and recipes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from harness.specs.base import Candidates, Name, Spec
from harness.specs.samplers import SamplerChoice, by_name

AT = "@"
"""Between the name of a target and that of the reading in which it is made."""

PAPER = "paper"
"""The reading of the specs as they are written: what papers print."""

ReadChoice = Annotated[SamplerChoice, BeforeValidator(by_name)]


class PaperReading(Spec):
    """What a reading changes in the targets of one paper beside samplers and recipes."""

    candidates: dict[str, Candidates] = Field(default={}, description="K by dataset")
    published_recipes: dict[str, str] = Field(
        default={}, description="in the place of recipes, at a scale that trains as published"
    )


class Reading(Spec):
    """experiments/readings/<reading>.yaml: what stands in the place of samplers and recipes of targets."""

    title: Name = Field(description="added to the titles of targets")
    citation: Name
    papers: dict[str, PaperReading] = Field(min_length=1, description="whose targets can be read so")
    samplers: dict[str, dict[str, ReadChoice]] = Field(
        default={}, description="by preset and dataset, in the place of a row's sampler of that preset"
    )
    recipes: dict[str, str] = Field(default={}, description="in the place of recipes")
    remarks: list[str] = Field(default=[])

    @property
    def all_recipes(self) -> set[str]:
        """The recipes that stand in the place of others."""
        own = {name for of in self.papers.values() for name in of.published_recipes.values()}
        return {*self.recipes.values(), *own}

    def sampler(self, choice: SamplerChoice | None, dataset: str) -> SamplerChoice | None:
        """Return a row's sampler on a dataset as it is read; what a row changes in the law stays changed."""
        read = self.samplers.get(choice.preset, {}).get(dataset) if choice else None
        if choice is None or read is None:
            return choice
        return read.model_copy(update={"law": {**read.law, **choice.law}})


def named(name: str) -> tuple[str, str | None]:
    """Return target and reading of a name, ``<target>@<reading>``; no reading is that of the paper.

    >>> named("simans/table-2@released")
    ('simans/table-2', 'released')
    """
    target, at, reading = name.partition(AT)
    return target, (reading or None) if at else None


def paper_of(target: str) -> str:
    """Return the paper of a target by their names."""
    return target.partition("/")[0]
