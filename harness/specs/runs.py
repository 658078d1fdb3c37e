"""From a recipe at a scale to the settings of a run, and of the runs that it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.pieces import make_piece, settings_of
from harness.specs.models import Shared
from harness.specs.parts import RankerScale, Recipe, Scale
from harness.specs.samplers import SamplerChoice, sampler_settings
from harness.specs.settings import (
    CheckpointSettings,
    CollectionSettings,
    CoTraining,
    EncoderSettings,
    PhaseSettings,
    RankerSettings,
    RunSettings,
    SamplerSettings,
    TokenSettings,
)
from harness.training.losses.registry import make_loss
from harness.training.turns import TURNS


@dataclass(frozen=True)
class Seeds:
    """Seeds of a run and of what it continues."""

    warm_up: int
    continued: int


@dataclass(frozen=True)
class Runs:
    """Makes settings of runs.

    Attributes:
        scale: what decides their size.
        recipes: by name.
        collection: that serves the dataset.
        measures: that all runs are evaluated by.
    """

    scale: Scale
    recipes: Mapping[str, Recipe]
    collection: CollectionSettings
    measures: tuple[str, ...]

    def warm_up(self, recipe: str, seeds: Seeds) -> RunSettings:
        """Return the run that a recipe continues; of one that continues none, its own first phase."""
        name = self.recipes[recipe].start or recipe
        return RunSettings(
            kind="warm-up",
            recipe=name,
            collection=self.collection,
            tokens=TokenSettings(**self.scale.tokens.model_dump()),
            encoder=EncoderSettings(**self.scale.encoder.model_dump()),
            start=None,
            phase=self._phase(self.recipes[name], "warm_up"),
            sampler=None,
            seed=seeds.warm_up,
            measures=self.measures,
            depth=self.scale.depth,
        )

    def bm25(self, recipe: str, seeds: Seeds) -> RunSettings:
        """Return what is ranked without training."""
        return self.warm_up(recipe, seeds).model_copy(update={"kind": "bm25", "phase": None})

    def evaluated(self, recipe: str, seeds: Seeds, checkpoint: CheckpointSettings) -> RunSettings:
        """Return what measures an encoder that was trained elsewhere."""
        changes = {"kind": "evaluated", "phase": None, "checkpoint": checkpoint}
        return self.warm_up(recipe, seeds).model_copy(update=changes)

    def trained(
        self, recipe: str, seeds: Seeds, sampler: SamplerChoice | None, shared: Shared
    ) -> RunSettings:
        """Return a run of a recipe with a sampler."""
        spec, start = self.recipes[recipe], self.warm_up(recipe, seeds)
        own: dict[str, Any] = {
            "kind": "trained",
            "recipe": recipe,
            "start": start,
            "phase": self._phase(spec, "continued"),
            "sampler": None if sampler is None else self._sampler(sampler, shared),
            "seed": seeds.continued,
        }
        if spec.ranker is not None:
            own["teacher"] = self.ranker(spec.ranker.start, seeds, shared)
            own["co_training"] = self._co_training(spec)
            own["reranked"] = self._ranker.reranked
        return start.model_copy(update=own)

    def ranker(self, recipe: str, seeds: Seeds, shared: Shared) -> RunSettings:
        """Return the warm-up of a ranker, over the candidates of the retriever that it starts from."""
        spec, scale, start = self.recipes[recipe], self._ranker, self.warm_up(recipe, seeds)
        sampler = SamplerChoice(preset=spec.draws or "uniform")
        phase = PhaseSettings(
            loss=settings_of(make_loss(spec.loss)),
            negatives="drawn",
            steps=scale.steps.warm_up,
            batch=scale.batch.warm_up,
            learning_rate=scale.learning_rate.warm_up,
            refresh=None,
            **spec.schedule.model_dump(),
        )
        own = {
            "kind": "ranker",
            "recipe": recipe,
            "start": start,
            "phase": phase,
            "sampler": self._sampler(sampler, shared),
            "ranker": RankerSettings(**scale.model_dump(include=set(RankerSettings.model_fields))),
            "reranked": scale.reranked,
        }
        return start.model_copy(update=own)

    @property
    def _ranker(self) -> RankerScale:
        if self.scale.ranker is None:
            raise ValueError("resolve() lets no recipe with a ranker pass at a scale without one")
        return self.scale.ranker

    def _co_training(self, spec: Recipe) -> CoTraining | None:
        if spec.ranker is None:
            return None
        return CoTraining(
            turns=settings_of(make_piece("turns", TURNS, spec.ranker.turns)),
            loss=settings_of(make_loss(spec.ranker.loss)),
            learning_rate=self._ranker.learning_rate.continued,
            **spec.ranker.schedule.model_dump(),
        )

    def _phase(self, recipe: Recipe, phase: str) -> PhaseSettings:
        continued, scale = phase == "continued", self.scale
        return PhaseSettings(
            loss=settings_of(make_loss(recipe.loss)),
            negatives=recipe.negatives,
            steps=scale.steps.continued if continued else scale.steps.warm_up,
            batch=scale.batch.continued if continued else scale.batch.warm_up,
            learning_rate=scale.learning_rate.continued if continued else scale.learning_rate.warm_up,
            refresh=scale.steps.refresh if continued and recipe.negatives == "drawn" else None,
            **recipe.schedule.model_dump(),
        )

    def _sampler(self, choice: SamplerChoice, shared: Shared) -> SamplerSettings:
        """Return the settings of a sampler, K capped by the scale."""
        return sampler_settings(choice, min(shared.candidates, self.scale.candidates_cap), shared.negatives)
