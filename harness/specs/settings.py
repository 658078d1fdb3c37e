"""Resolved settings: what a training run is, after target, recipe, dataset and scale are put together."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Parameter = bool | int | float | str


class Settings(BaseModel):
    """Base of all settings: frozen, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenSettings(Settings):
    """Vocabulary size of learnt word pieces, and the longest query and passage in tokens."""

    vocabulary: int
    query_tokens: int
    passage_tokens: int


class EncoderSettings(Settings):
    """The dual encoder; sizes count only where it starts fresh."""

    start: str
    hidden: int
    layers: int
    heads: int
    intermediate: int
    dropout: float
    token_dropout: float
    pooling: Literal["cls", "mean", "idf-mean", "first-last"]
    projection: int | None
    towers: Literal["shared", "separate"]
    score_scale: float


class LossSettings(Settings):
    """Which loss; the temperature divides scores."""

    name: Literal["softmax-cross-entropy"]
    temperature: float


class PhaseSettings(Settings):
    """One phase of training; `refresh` is the number of steps between refreshes of the candidates."""

    loss: LossSettings
    negatives: Literal["in-batch", "drawn"]
    steps: int
    batch: int
    learning_rate: float
    weight_decay: float
    warm_up_share: float
    clip_norm: float
    refresh: int | None


class SamplerSettings(Settings):
    """Source, law, draw and topology of the negatives, K candidates and n negatives."""

    preset: str
    source: str
    law: str
    law_parameters: dict[str, Parameter]
    draw: str
    topology: str
    mask: str
    candidates: int
    negatives: int


class CollectionSettings(Settings):
    """Which collection, with its parameters."""

    kind: Literal["pydocs", "planted"]
    parameters: dict[str, int | float]


class RunSettings(Settings):
    """A training run whole, as `spec.json` holds it."""

    kind: Literal["trained", "warm-up", "bm25"]
    recipe: str
    collection: CollectionSettings
    tokens: TokenSettings
    encoder: EncoderSettings
    warm_up: PhaseSettings
    warm_up_seed: int
    continued: PhaseSettings | None
    sampler: SamplerSettings | None
    seed: int
    measures: tuple[str, ...]
    depth: int
