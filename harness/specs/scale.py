"""Scales as pydantic models: which encoder and ranker stand in, and what compute allows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from harness.specs.base import Share, Spec
from harness.specs.settings import Pooling


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


class RankerRate(Spec):
    """In the place of a published rate of a ranker that trains beside a retriever."""

    rate: PositiveFloat


class Substitute(Spec):
    """Numbers of a phase in the place of the published ones; those that are absent come from a wider key."""

    rate: PositiveFloat | None = None
    batch: PositiveInt | None = None
    steps: PositiveInt | None = None
    refresh: PositiveInt | None = None
    ranker: RankerRate | None = None


class RankerScale(Spec):
    """The ranker of a scale; sizes count where it starts `fresh`, else `start` is a folder or hub id."""

    start: str = "fresh"
    hidden: PositiveInt = 1024
    layers: int = Field(default=24, ge=2)
    heads: PositiveInt = 16
    intermediate: PositiveInt = 4096
    dropout: Share = 0.1
    pair_tokens: PositiveInt
    reranked: PositiveInt


class FirstSeeds(Spec):
    """How many seeds, and where the seeds of base runs and of what continues them begin."""

    count: PositiveInt
    base: int = Field(ge=0)
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
    as_published: bool = Field(
        default=False, description="rates, batches, steps and refreshes are the published ones"
    )
    substitutes: dict[str, Substitute] = Field(
        default={},
        description="by what a phase trains, or by <recipe>/<phase>; the most specific wins, key by key",
    )
    ranker: RankerScale | None = None
    candidates_cap: PositiveInt
    depth: PositiveInt
    threads: PositiveInt
    seeds: FirstSeeds
    hardware: Hardware | None = None
    frozen: list[Frozen] = Field(default=[])
