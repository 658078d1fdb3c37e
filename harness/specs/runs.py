"""From a phase of a recipe at a scale to the settings of its run, and of the runs that it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.pieces import make_piece, settings_of
from harness.specs.phase_numbers import Numbers, used
from harness.specs.recipe import Checkpoint, Phase, Recipe
from harness.specs.samplers import SamplerChoice, sampler_settings
from harness.specs.scale import RankerScale, Scale
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
from harness.specs.target import Shared
from harness.training.losses.registry import make_loss
from harness.training.turns import TURNS

DEEPER = 10_000
"""Distance of the seeds of a phase from those of the one that it continues, from the second one on."""


@dataclass(frozen=True)
class Seeds:
    """Seeds of a run and of what it stands on.

    Attributes:
        base: of phases that continue no other, and of rankers' own.
        between: of phases between those and the last one.
        last: of the last one.
    """

    base: int
    between: int
    last: int


@dataclass(frozen=True)
class RowDraws:
    """What a row of a target draws.

    Attributes:
        sampler: of the phases whose negatives are the row's; none where it has none.
        shared: K and n, where a phase has none of its own.
    """

    sampler: SamplerChoice | None
    shared: Shared


@dataclass(frozen=True)
class Runs:
    """Makes settings of runs on a dataset.

    Attributes:
        scale: what decides their size.
        recipes: by name, with all that they start from.
        dataset: whose published numbers count.
        collection: that serves it.
        measures: that all runs are evaluated by.
    """

    scale: Scale
    recipes: Mapping[str, Recipe]
    dataset: str
    collection: CollectionSettings
    measures: tuple[str, ...]

    def bm25(self, recipe: str, seeds: Seeds, draws: RowDraws) -> RunSettings:
        """Return what is ranked without training."""
        return self._untrained(recipe, seeds, draws).model_copy(update={"kind": "bm25"})

    def evaluated(
        self, recipe: str, seeds: Seeds, draws: RowDraws, checkpoint: CheckpointSettings
    ) -> RunSettings:
        """Return what measures an encoder that was trained elsewhere."""
        changes = {"kind": "evaluated", "checkpoint": checkpoint}
        return self._untrained(recipe, seeds, draws).model_copy(update=changes)

    def _untrained(self, recipe: str, seeds: Seeds, draws: RowDraws) -> RunSettings:
        run = self.run(f"{recipe}/{self.recipes[recipe].last.name}", seeds, draws)
        while run.start is not None:
            run = run.start
        return run.model_copy(update={"phase": None, "sampler": None})

    def run(self, name: str, seeds: Seeds, draws: RowDraws) -> RunSettings:
        """Return the run of a phase, with the chain of those that it stands on.

        Args:
            name: of the phase, ``<recipe>/<phase>``.
            seeds: of the run and of what it stands on.
            draws: of the row.
        """
        phase, recipe = self._phase(name), name.partition("/")[0]
        numbers = used(self.scale, name, phase, self.dataset)
        if not isinstance(phase.start, str):
            return self._base(name, phase, numbers, seeds, draws)
        start = self.run(phase.start, Seeds(seeds.base, seeds.between, seeds.between), draws)
        own: dict[str, Any] = {
            "recipe": recipe,
            "phase_name": phase.name,
            "start": start,
            "phase": self._settings(phase, numbers),
            "sampler": self._sampler(phase, draws),
        }
        if phase.trains == "ranker":
            return start.model_copy(update=own | self._ranker_alone(seeds))
        own |= {"kind": "continued", "seed": seeds.last + DEEPER * (_depth(start) - 1)}
        if phase.ranker is not None:
            teacher = Seeds(seeds.base, seeds.between, seeds.between)
            own["teacher"] = self.run(phase.ranker.start, teacher, draws)
            own["co_training"] = self._co_training(phase, numbers)
            own["reranked"] = self._ranker.reranked
        return start.model_copy(update=own)

    def _phase(self, name: str) -> Phase:
        recipe, _, phase_name = name.partition("/")
        phase = self.recipes[recipe].phase(phase_name)
        if phase is None:
            raise ValueError(f"the library lets no start pass that is no phase, such as '{name}'")
        return phase

    def _base(self, name: str, phase: Phase, numbers: Numbers, seeds: Seeds, draws: RowDraws) -> RunSettings:
        encoder = EncoderSettings(**self.scale.encoder.model_dump())
        if isinstance(phase.start, Checkpoint):
            encoder = encoder.model_copy(update={"start": phase.start.checkpoint})
        return RunSettings(
            kind="base",
            recipe=name.partition("/")[0],
            phase_name=phase.name,
            collection=self.collection,
            tokens=TokenSettings(**self.scale.tokens.model_dump()),
            encoder=encoder,
            start=None,
            phase=self._settings(phase, numbers),
            sampler=self._sampler(phase, draws),
            seed=seeds.base,
            measures=self.measures,
            depth=self.scale.depth,
        )

    def _settings(self, phase: Phase, numbers: Numbers) -> PhaseSettings:
        return PhaseSettings.model_validate(
            {
                "trains": phase.trains,
                "loss": settings_of(make_loss(phase.loss)),
                "steps": numbers.steps,
                "batch": numbers.batch,
                "learning_rate": numbers.rate,
                "weight_decay": phase.optimizer.weight_decay,
                "lr_warmup_share": phase.schedule.lr_warmup_share,
                "clip_norm": phase.optimizer.clip_norm,
                "refresh": numbers.refresh,
            }
        )

    def _ranker_alone(self, seeds: Seeds) -> dict[str, Any]:
        """Return what the run of a ranker has beside the phase."""
        sizes = self._ranker.model_dump(include=set(RankerSettings.model_fields))
        return {
            "kind": "ranker",
            "seed": seeds.base,
            "ranker": RankerSettings(**sizes),
            "reranked": self._ranker.reranked,
        }

    def _co_training(self, phase: Phase, numbers: Numbers) -> CoTraining | None:
        if phase.ranker is None:
            return None
        denoises, labels = phase.ranker.denoises, phase.ranker.labels
        learns = phase.ranker.learns
        optimizer = phase.ranker.optimizer if learns else None
        schedule = phase.ranker.schedule if learns else None
        return CoTraining.model_validate(
            {
                "denoises": denoises.below if denoises else None,
                "labels": (labels.above, labels.below) if labels else None,
                "turns": settings_of(make_piece("turns", TURNS, phase.ranker.turns)),
                "loss": settings_of(make_loss(phase.ranker.loss)),
                "learning_rate": numbers.ranker_rate,
                "weight_decay": optimizer.weight_decay if optimizer else None,
                "lr_warmup_share": schedule.lr_warmup_share if schedule else None,
                "clip_norm": optimizer.clip_norm if optimizer else None,
            }
        )

    def _sampler(self, phase: Phase, draws: RowDraws) -> SamplerSettings | None:
        """Return the settings of a phase's sampler, K capped by the scale."""
        own = phase.own
        choice = draws.sampler if own is None else own.sampler
        if choice is None:
            return None
        k = (own.candidates if own else None) or draws.shared.candidates
        n = (own.negatives if own else None) or draws.shared.negatives
        k = min(k, self.scale.candidates_cap)
        return sampler_settings(choice, k, min(n, k))

    @property
    def _ranker(self) -> RankerScale:
        if self.scale.ranker is None:
            raise ValueError("resolve() lets no recipe with a ranker pass at a scale without one")
        return self.scale.ranker


def _depth(run: RunSettings) -> int:
    """Return how many runs stand under one another, from a run down to its base."""
    return 1 if run.start is None else 1 + _depth(run.start)
