"""Recipes as pydantic models: named phases in order, as their papers and scripts have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from harness.pieces import name_of
from harness.specs.base import (
    Batch,
    Candidates,
    ClipNorm,
    Decay,
    Negatives,
    Rate,
    Share,
    Spec,
    Steps,
    StepsOrNone,
    absent,
)
from harness.specs.piece_schemas import must_be
from harness.specs.samplers import SamplerChoice, by_name
from harness.specs.settings import Pooling, Trains
from harness.training.turns import RetrieverAlone

ROW = "row"
"""Negatives that the sampler of a target's row draws."""

NEVER = "never"
"""Candidates that are mined once, before the phase."""

PublishedRate = Rate | dict[str, Rate]
PublishedBatch = Batch | dict[str, Batch]
PublishedSteps = StepsOrNone | dict[str, StepsOrNone]
PublishedRefresh = Steps | dict[str, Steps]
"""As published: for every dataset, or by dataset."""

Start = Annotated[str, Field(min_length=1)]
Starts = Start | Annotated[dict[str, Start], Field(min_length=1)]
"""A folder or hub id, on every dataset, or by dataset."""


def _named(value: Any) -> Any:
    """Let a piece without parameters be written as its name alone."""
    return {"name": value} if isinstance(value, str) else value


LossChoice = Annotated[
    dict[str, Any],
    BeforeValidator(_named),
    must_be("loss"),
]
"""A loss by its name, or its name and parameters; `harness.specs.recipe_checks` checks it."""


TurnsChoice = Annotated[
    dict[str, Any],
    BeforeValidator(_named),
    must_be("turns"),
]
"""How retriever and ranker share the steps, by name, or name and parameters."""


class Optimizer(Spec):
    """How a gradient changes the weights."""

    name: Literal["adamw"] = "adamw"
    clip_norm: ClipNorm = Field(description="longest gradient, in the 2-norm over all weights")
    weight_decay: Decay


class Schedule(Spec):
    """The learning rate over the steps of a phase: a linear rise, then a linear decay to 0."""

    shape: Literal["linear"] = "linear"
    lr_warmup_share: Share = Field(description="share of the steps in which the learning rate rises")


class Checkpoint(Spec):
    """An encoder that somebody else trained."""

    checkpoint: Starts = Field(description="a folder or hub id, on every dataset, or by dataset")
    pooling: Pooling | None = Field(default=None, description="of a checkpoint that does not say it")

    @property
    def text(self) -> str:
        """The checkpoint in words, for messages."""
        named = self.checkpoint
        return named if isinstance(named, str) else ", ".join(f"{on}: {start}" for on, start in named.items())


class PhaseNegatives(Spec):
    """Negatives of a phase's own, whatever sampler a row names."""

    sampler: Annotated[SamplerChoice, BeforeValidator(by_name)]
    candidates: Candidates | None = Field(default=None, description="K; the target's where it is absent")
    negatives: Negatives | None = Field(default=None, description="n; the target's where it is absent")


class Denoising(Spec):
    """Candidates that a ranker takes for relevant are no negatives (RocketQA, section 3.3.2)."""

    below: float = Field(gt=0, lt=1, description="greatest probability of relevance of a negative")


class PseudoLabels(Spec):
    """A ranker labels candidates of queries that have no labels (RocketQA, section 3.3.3)."""

    above: float = Field(gt=0, lt=1, description="least probability of relevance of a positive")
    below: float = Field(gt=0, lt=1, description="greatest probability of relevance of a negative")


class RankerPart(Spec):
    """A ranker beside the retriever that a phase trains; it teaches where the loss needs a teacher."""

    start: str = Field(description="the phase that it comes from, <recipe>/<phase>")
    turns: TurnsChoice | dict[str, TurnsChoice] = Field(
        default={"name": "retriever-alone"}, description="whose step it is, on every dataset, or by dataset"
    )
    published_turns: dict[str, TurnsChoice] = Field(
        default={},
        exclude_if=lambda turns: not turns,
        description="by dataset, the paper's in the place of `turns`, at a scale that trains as published",
    )
    loss: LossChoice = Field(default={"name": "softmax-cross-entropy"})
    optimizer: Optimizer | None = Field(default=None, description="of its own turns, where it takes any")
    schedule: Schedule | None = Field(default=None, description="of its own turns, where it takes any")
    rate: PublishedRate | None = None
    denoises: Denoising | None = None
    labels: PseudoLabels | None = None

    @property
    def learns(self) -> bool:
        """Whether it takes a turn."""
        return bool(self.turns.get("name") != name_of(RetrieverAlone))

    def turns_on(self, dataset: str, *, as_published: bool) -> Any:
        """Return whose step it is on a dataset, at a scale that trains as published or at another."""
        turns = self.turns if "name" in self.turns else self.turns.get(dataset)
        return self.published_turns.get(dataset, turns) if as_published else turns


class Phase(Spec):
    """One phase of a recipe.

    Its numbers are those that were published; `harness.specs.phase_numbers` says which are used at a scale.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    trains: Trains = Field(default="both-towers", description="what the phase trains")
    start: str | Checkpoint | None = Field(
        default=None,
        description="a phase, <recipe>/<phase>, or a checkpoint; where it is absent, the scale's encoder",
    )
    checkpoint: Starts | None = Field(
        default=None,
        exclude_if=absent,
        description="of a phase that trains a ranker: where that begins, in the place of the scale's ranker",
    )
    negatives: Literal["row"] | PhaseNegatives
    loss: LossChoice
    optimizer: Optimizer
    schedule: Schedule
    rate: PublishedRate | None = Field(default=None, description="greatest learning rate")
    batch: PublishedBatch | None = Field(default=None, description="queries in a step")
    steps: PublishedSteps | None = Field(
        default=None, description="of the optimizer; 0 leaves the start as it is, at every scale"
    )
    refresh: PublishedRefresh | Literal["never"] | None = Field(
        default=None, description="steps between two minings of the candidates"
    )
    ranker: RankerPart | None = None

    @property
    def own(self) -> PhaseNegatives | None:
        """Its own negatives; none where a row's sampler draws them."""
        return self.negatives if isinstance(self.negatives, PhaseNegatives) else None

    @property
    def checkpoints(self) -> list[Starts]:
        """What its retriever or its ranker begins with, where that is its own."""
        retriever = [self.start.checkpoint] if isinstance(self.start, Checkpoint) else []
        return [*retriever, *([] if self.checkpoint is None else [self.checkpoint])]

    @property
    def starts(self) -> list[str]:
        """Phases that it depends on, its own start first."""
        before = [self.start] if isinstance(self.start, str) else []
        return [*before, *([self.ranker.start] if self.ranker else [])]


class Recipe(Spec):
    """experiments/recipes/<recipe>.yaml: phases in order; a row of a target is a run of the last one."""

    summary: str
    citation: str
    phases: list[Phase] = Field(min_length=1)
    departs: str | None = None

    @property
    def last(self) -> Phase:
        """The phase that a row's run is of."""
        return self.phases[-1]

    def phase(self, name: str) -> Phase | None:
        """Return a phase by its name; none where there is no such phase."""
        return next((phase for phase in self.phases if phase.name == name), None)


def on_dataset(starts: Starts, dataset: str) -> str | None:
    """Return where a model begins on a dataset; none where it is by dataset, and not on this one."""
    return starts if isinstance(starts, str) else starts.get(dataset)


def phases_of(recipes: Mapping[str, Recipe]) -> dict[str, Phase]:
    """Return the phases of recipes by ``<recipe>/<phase>``."""
    return {f"{name}/{phase.name}": phase for name, recipe in recipes.items() for phase in recipe.phases}
