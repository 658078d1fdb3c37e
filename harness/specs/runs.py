"""From a phase of a recipe at a scale to the settings of its run, and of the runs that it depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.specs.base import FRESH
from harness.specs.phase_numbers import NO_STEPS, Numbers, trains_at, used
from harness.specs.recipe import Checkpoint, Phase, RankerPart, Recipe, Starts, on_dataset
from harness.specs.run_settings import (
    BaseRun,
    Bm25Run,
    ContinuedRun,
    EvaluatedRun,
    RankerRun,
    StartedRun,
    TaughtRun,
    TrainedRun,
)
from harness.specs.samplers import SamplerChoice, sampler_settings
from harness.specs.scale import RankerScale, Scale
from harness.specs.settings import (
    CheckpointSettings,
    CollectionSettings,
    CoTraining,
    EncoderSettings,
    LateInteractionSettings,
    PhaseSettings,
    Pooling,
    RankerSettings,
    SamplerSettings,
    Sizes,
    TokenSettings,
)
from harness.specs.target import Shared
from harness.training.losses.registry import make_loss
from harness.training.turns import make_turns

UNTRAINED = 0
"""Seed of a run of no steps, which is the same for all seeds."""

IDLE: dict[str, Any] = {"batch": 1, "learning_rate": 1e-12}
"""Settings of a phase without steps, which has none of its own; nothing reads them."""

DEEPER = 10_000
"""Distance of the seeds of a phase from those of the one that it continues, from the second one on."""


@dataclass(frozen=True)
class Seeds:
    """Seeds of a run and of what it depends on.

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

    def bm25(self, recipe: str, seeds: Seeds) -> Bm25Run:
        """Return what is ranked without training."""
        return Bm25Run(kind="bm25", **self._common(self._first(recipe), seeds.base))

    def evaluated(self, recipe: str, seeds: Seeds, checkpoint: CheckpointSettings) -> EvaluatedRun:
        """Return what measures an encoder that was trained elsewhere."""
        common, tokens = self._common(self._first(recipe), seeds.base), self._tokens
        return EvaluatedRun(kind="evaluated", **common, tokens=tokens, checkpoint=checkpoint)

    def _first(self, recipe: str) -> str:
        """Return the phase that the last one of a recipe stands on and that stands on no other."""
        name = f"{recipe}/{self.recipes[recipe].last.name}"
        while isinstance(start := self._phase(name).start, str):
            name = start
        return name

    def run(self, name: str, seeds: Seeds, draws: RowDraws) -> TrainedRun:
        """Return the run of a phase, with the chain of those that it depends on.

        Args:
            name: of the phase, ``<recipe>/<phase>``.
            seeds: of the run and of what it depends on.
            draws: of the row.
        """
        phase = self._phase(name)
        numbers = used(self.scale, name, phase, self.dataset)
        trained: dict[str, Any] = {
            "phase": self._settings(name, phase, numbers),
            "sampler": self._sampler(phase, draws),
        }
        if not isinstance(phase.start, str):
            encoder = self._encoder(phase)
            common = self._common(name, seeds.base if numbers.steps else UNTRAINED)
            tokens = token_settings(self.scale, encoder)
            return BaseRun(kind="base", **common, tokens=tokens, encoder=encoder, **trained)
        below = Seeds(seeds.base, seeds.between, seeds.between)
        start = self.run(phase.start, below, draws)
        seed = seeds.base if phase.trains == "ranker" else seeds.last + DEEPER * (_depth(start) - 1)
        seed = UNTRAINED if numbers == NO_STEPS else seed
        common = self._common(name, seed) | {"tokens": start.tokens, "encoder": start.encoder, "start": start}
        if phase.trains == "ranker":
            ranker, reranked = self._ranker_settings(phase), self._ranker.reranked
            return RankerRun(kind="ranker", **common, **trained, ranker=ranker, reranked=reranked)
        if phase.ranker is None:
            return ContinuedRun(kind="continued", **common, **trained)
        taught: dict[str, Any] = {
            "teacher": self.run(phase.ranker.start, below, draws),
            "co_training": self._co_training(phase.ranker, numbers),
            "reranked": self._ranker.reranked,
        }
        return TaughtRun(kind="continued", **common, **trained, **taught)

    def _common(self, name: str, seed: int) -> dict[str, Any]:
        """Return what runs of all kinds have beside their kind."""
        recipe, _, phase_name = name.partition("/")
        return {
            "recipe": recipe,
            "phase_name": phase_name,
            "collection": self.collection,
            "seed": seed,
            "measures": self.measures,
            "depth": self.scale.depth,
        }

    @property
    def _tokens(self) -> TokenSettings:
        return TokenSettings(**self.scale.tokens.model_dump())

    def _phase(self, name: str) -> Phase:
        recipe, _, phase_name = name.partition("/")
        phase = self.recipes[recipe].phase(phase_name)
        if phase is None:
            raise ValueError(f"the library lets no start pass that is no phase, such as '{name}'")
        return phase

    def _encoder(self, phase: Phase) -> EncoderSettings:
        """Return the encoder of a phase that stands on no other."""
        if not isinstance(phase.start, Checkpoint):
            return encoder_settings(self.scale)
        return encoder_settings(self.scale, self._here(phase.start.checkpoint), phase.start.pooling)

    def _here(self, starts: Starts) -> str:
        """Return where a model begins on this dataset."""
        start = on_dataset(starts, self.dataset)
        if start is None:
            raise ValueError("fitting lets no checkpoint pass that is not on the datasets of a target")
        return start

    def _settings(self, name: str, phase: Phase, numbers: Numbers) -> PhaseSettings:
        idle = IDLE if numbers == NO_STEPS else {}
        return PhaseSettings.model_validate(
            {
                "trains": trains_at(self.scale, name, phase),
                "loss": make_loss(phase.loss),
                "steps": numbers.steps,
                "batch": numbers.batch,
                "learning_rate": numbers.rate,
                "weight_decay": phase.optimizer.weight_decay,
                "lr_warmup_share": phase.schedule.lr_warmup_share,
                "clip_norm": phase.optimizer.clip_norm,
                "refresh": numbers.refresh,
                "places": self.scale.places,
                "precision": self.scale.precision,
                **idle,
            }
        )

    def _ranker_settings(self, phase: Phase) -> RankerSettings | LateInteractionSettings:
        """Return the ranker that a phase trains: one of its own, or the scale's."""
        if phase.checkpoint is not None:
            longest = self.scale.tokens.query_tokens + self.scale.tokens.passage_tokens
            pair_tokens = self._ranker.pair_tokens or longest
            own = {"start": self._here(phase.checkpoint), "pair_tokens": pair_tokens}
            return RankerSettings.model_validate(own)
        if self._ranker.kind == "late-interaction":
            return LateInteractionSettings()
        given = self._ranker.model_dump(include=set(RankerSettings.model_fields))
        fresh = self._ranker.start == FRESH
        return RankerSettings(
            **{key: value for key, value in given.items() if fresh or key not in Sizes._fields}
        )

    def _co_training(self, ranker: RankerPart, numbers: Numbers) -> CoTraining:
        turns = ranker.turns_on(self.dataset, as_published=self.scale.as_published)
        optimizer = ranker.optimizer if ranker.learns else None
        schedule = ranker.schedule if ranker.learns else None
        return CoTraining.model_validate(
            {
                "denoises": ranker.denoises.below if ranker.denoises else None,
                "labels": (ranker.labels.above, ranker.labels.below) if ranker.labels else None,
                "turns": make_turns(turns),
                "loss": make_loss(ranker.loss),
                "learning_rate": numbers.ranker_rate,
                "weight_decay": optimizer.weight_decay if optimizer else None,
                "lr_warmup_share": schedule.lr_warmup_share if schedule else None,
                "clip_norm": optimizer.clip_norm if optimizer else None,
            }
        )

    def _sampler(self, phase: Phase, draws: RowDraws) -> SamplerSettings:
        """Return the settings of a phase's sampler, K capped by the scale."""
        own = phase.own
        choice = draws.sampler if own is None else own.sampler
        if choice is None:
            raise ValueError("fitting lets no phase without a sampler pass")
        k = (own.candidates if own else None) or draws.shared.candidates_on(self.dataset)
        n = (own.negatives if own else None) or draws.shared.negatives
        k = min(k, self.scale.candidates_cap)
        return sampler_settings(choice, k, min(n, k))

    @property
    def _ranker(self) -> RankerScale:
        if self.scale.ranker is None:
            raise ValueError("resolve() lets no recipe with a ranker pass at a scale without one")
        return self.scale.ranker


def encoder_settings(scale: Scale, own: str | None = None, pooling: Pooling | None = None) -> EncoderSettings:
    """Return the encoder of a scale, or what it puts on top of a phase's own checkpoint.

    Args:
        scale: whose encoder it is.
        own: the checkpoint, a folder or hub id.
        pooling: of a checkpoint that does not say it.
    """
    encoder, given = scale.encoder, scale.encoder.model_dump(exclude={"published_sizes"})
    start = own or encoder.start
    if start != FRESH:
        given = {key: value for key, value in given.items() if key not in Sizes._fields}
        given["start"] = start
        if own or "pooling" not in encoder.model_fields_set:
            given["pooling"] = pooling
        if "towers" not in encoder.model_fields_set:
            given["towers"] = None
    return EncoderSettings(**given)


def token_settings(scale: Scale, encoder: EncoderSettings) -> TokenSettings:
    """Return how text becomes token ids of an encoder; a checkpoint has a vocabulary of its own."""
    tokens = TokenSettings(**scale.tokens.model_dump())
    return tokens if encoder.start == FRESH else tokens.model_copy(update={"vocabulary": None})


def _depth(run: TrainedRun) -> int:
    """Return how many runs stand under one another, from a run down to its base."""
    return 1 + _depth(run.start) if isinstance(run, StartedRun) else 1
