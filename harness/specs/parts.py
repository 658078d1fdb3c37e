"""What targets share, as pydantic models: recipes, datasets, scales."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, WithJsonSchema, model_validator

from harness.specs.base import Share, Spec
from harness.specs.collection_choice import CollectionChoice
from harness.specs.settings import Pooling
from harness.training.losses.registry import LOSSES
from harness.training.turns import TURNS


def _by_name(value: Any) -> Any:
    """Let a loss without parameters be written as its name alone."""
    return {"name": value} if isinstance(value, str) else value


LossChoice = Annotated[
    dict[str, Any],
    BeforeValidator(_by_name),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(LOSSES)},
                {"type": "object", "properties": {"name": {"enum": list(LOSSES)}}, "required": ["name"]},
            ]
        }
    ),
]
"""A loss by its name, or its name and parameters; `harness.specs.loss_checks` says what is wrong with one."""


TurnsChoice = Annotated[
    dict[str, Any],
    BeforeValidator(_by_name),
    WithJsonSchema({"anyOf": [{"enum": list(TURNS)}, {"type": "object", "required": ["name"]}]}),
]
"""How retriever and ranker share the steps, by name, or name and parameters."""


class Schedule(Spec):
    """Linear warm-up and decay, clipping, weight decay."""

    warm_up_share: Share
    clip_norm: PositiveFloat
    weight_decay: float = Field(ge=0)


class RankerPart(Spec):
    """The ranker of a recipe: the recipe that it comes from, and how it takes part."""

    start: str
    turns: TurnsChoice
    loss: LossChoice = Field(default={"name": "softmax-cross-entropy"})
    schedule: Schedule


class Recipe(Spec):
    """experiments/recipes/<recipe>.yaml: how a retriever is trained, or a ranker over its candidates.

    A recipe of a ranker says in `draws` by which sampler its lists are made, so that rows share the ranker.
    """

    summary: str
    source: str
    start: str | None = None
    negatives: Literal["in-batch", "drawn"]
    loss: LossChoice
    schedule: Schedule
    departs: str | None = None
    trains: Literal["retriever", "ranker"] = "retriever"
    draws: str | None = None
    ranker: RankerPart | None = None


class FurtherMeasure(Spec):
    """A measure that every table of the dataset carries beside the printed ones."""

    label: str
    measure: str


class Dataset(Spec):
    """experiments/datasets/<dataset>.yaml."""

    title: str
    titles: Literal[False] = Field(description="built-in collections have none; a beir one says it itself")
    collections: dict[str, CollectionChoice]
    further: list[FurtherMeasure] = Field(default=[])


class Tokens(Spec):
    """Vocabulary size of the learnt pieces; longest query and passage in tokens."""

    vocabulary: PositiveInt
    query_tokens: PositiveInt
    passage_tokens: PositiveInt


class Encoder(Spec):
    """The encoder of a scale; sizes count where it starts `fresh`, else `start` is a folder or hub id."""

    start: str = "fresh"
    hidden: PositiveInt = 768
    layers: int = Field(default=12, ge=0)
    heads: PositiveInt = 12
    intermediate: PositiveInt = 3072
    dropout: Share = 0.1
    token_dropout: Share = 0.0
    pooling: Pooling = "cls"
    projection: PositiveInt | None = None
    towers: Literal["shared", "separate"] = "shared"
    score_scale: PositiveFloat = 1.0

    @model_validator(mode="after")
    def _heads_divide(self) -> Encoder:
        if self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is no multiple of heads {self.heads}")
        return self


class Rates(Spec):
    """Learning rates; they belong to the encoder, hence to the scale."""

    warm_up: PositiveFloat
    continued: PositiveFloat


class Steps(Spec):
    """Optimizer steps of each phase, and between refreshes of the candidates."""

    warm_up: PositiveInt
    continued: PositiveInt
    refresh: PositiveInt


class Batches(Spec):
    """Queries in a batch, phase by phase."""

    warm_up: PositiveInt
    continued: PositiveInt


class RankerSteps(Spec):
    """Optimizer steps of a ranker's warm-up; those beside a retriever are the retriever's steps, shared."""

    warm_up: PositiveInt


class RankerScale(Spec):
    """The ranker of a scale; sizes count where it starts `fresh`, else `start` is a folder or hub id."""

    start: str = "fresh"
    hidden: PositiveInt = 1024
    layers: int = Field(default=24, ge=2)
    heads: PositiveInt = 16
    intermediate: PositiveInt = 4096
    dropout: Share = 0.1
    pair_tokens: PositiveInt
    learning_rate: Rates
    steps: RankerSteps
    batch: RankerSteps
    reranked: PositiveInt


class Seeds(Spec):
    """How many seeds, and where the seeds of warm-ups and of continued training begin."""

    count: PositiveInt
    warm_up: int = Field(ge=0)
    continued: int = Field(ge=0)


class Frozen(Spec):
    """The commit that froze the settings before samplers were compared, and the hash of what it froze."""

    commit: str
    settings: str


class Hardware(Spec):
    """What a paper trained on; memory is told for one of its GPUs.

    Nothing is trained by it: the trainer here takes a batch in one process and computes nothing twice.
    """

    gpus: PositiveInt
    gpu: str
    memory_gb: list[PositiveInt] = Field(min_length=1, description="several where the paper leaves it open")
    queries_at_once: PositiveInt = Field(
        description="of a batch, on one GPU, at most; the rest is accumulated"
    )
    recomputes: bool = Field(description="whether layers keep their inputs alone and are computed again")


class Scale(Spec):
    """experiments/scales/<scale>.yaml: compute only."""

    summary: str
    tokens: Tokens
    encoder: Encoder
    learning_rate: Rates
    steps: Steps
    batch: Batches
    ranker: RankerScale | None = None
    candidates_cap: PositiveInt
    depth: PositiveInt
    threads: PositiveInt
    seeds: Seeds
    hardware: Hardware | None = None
    frozen: list[Frozen] = Field(default=[])
