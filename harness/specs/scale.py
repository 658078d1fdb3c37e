"""Scales as pydantic models: which encoder and ranker stand in, and what compute allows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from harness.collections.released import RELEASED
from harness.specs.base import (
    FRESH,
    Batch,
    Candidates,
    Factor,
    FirstSeed,
    InnerWidth,
    Layers,
    Length,
    Places,
    Queries,
    Rate,
    Seeds,
    Share,
    Spec,
    Steps,
    StepsOrNone,
    Vocabulary,
    Width,
    absent,
)
from harness.specs.settings import Pooling, RankerKind, refuse_undivided
from harness.training.protocols import PLACES, Precision


class Tokens(Spec):
    """Vocabulary size of the learnt pieces, of a fresh encoder; longest query and passage in tokens."""

    vocabulary: Vocabulary | None = Field(default=None, exclude_if=absent)
    query_tokens: Length
    passage_tokens: Length


class PublishedSizes(Spec):
    """Sizes of a checkpoint as published, by which a plan counts memory where the checkpoint is not here.

    Nothing is trained by them: a checkpoint that is here says its own, and is refused if it says others.
    """

    hidden: Width
    layers: Layers
    heads: Width
    intermediate: InnerWidth
    dropout: Share
    vocabulary: Vocabulary
    positions: Length = 512
    types: Annotated[int, Field(ge=0, le=1000)] = 2


class Encoder(Spec):
    """The encoder of a scale.

    Sizes are of one that starts `fresh`; else `start` is a folder or hub id, which says its own, and
    `pooling` is given only where it does not say that.
    """

    start: str = Field(default="fresh", min_length=1)
    hidden: Width = 768
    layers: Layers = 12
    heads: Width = 12
    intermediate: InnerWidth = 3072
    dropout: Share = 0.1
    token_dropout: Share = 0.0
    pooling: Pooling = "cls"
    projection: Width | None = None
    towers: Literal["shared", "separate"] = "shared"
    score_scale: Factor = 1.0
    published_sizes: PublishedSizes | None = Field(default=None, exclude_if=absent)

    @model_validator(mode="after")
    def _heads_divide(self) -> Encoder:
        if self.start == FRESH:
            refuse_undivided(self.hidden, self.heads)
        return self


class RankerRate(Spec):
    """In the place of a published rate of a ranker that trains beside a retriever."""

    rate: Rate


class Substitute(Spec):
    """What a phase trains and its numbers, in the place of what was published; absent: from a wider key."""

    trains: Literal["both-towers", "last-layer", "head"] | None = Field(
        default=None, description="a part of the towers, over frozen vectors, where compute is scarce"
    )
    rate: Rate | dict[str, Rate] | None = Field(default=None, description="on every dataset, or by dataset")
    batch: Batch | None = None
    steps: StepsOrNone | None = Field(default=None, description="0 leaves the start as it is")
    refresh: Steps | None = None
    ranker: RankerRate | None = None


class RankerScale(Spec):
    """The ranker of a scale.

    Sizes are of a cross-encoder that starts `fresh`, else `start` is a folder or hub id. A late interaction
    stands on the retriever that it begins with, and has none of them.
    """

    kind: RankerKind = Field(default="cross-encoder", exclude_if=lambda kind: kind == "cross-encoder")
    start: str = Field(default="fresh", min_length=1)
    hidden: Width = 1024
    layers: Annotated[Layers, Field(ge=2)] = 24
    heads: Width = 16
    intermediate: InnerWidth = 4096
    dropout: Share = 0.1
    pair_tokens: Length | None = Field(
        default=None, exclude_if=absent, description="longest query and passage together, of a cross-encoder"
    )
    reranked: Candidates
    published_sizes: PublishedSizes | None = Field(default=None, exclude_if=absent)

    @model_validator(mode="after")
    def _of_its_kind(self) -> RankerScale:
        if self.kind == "late-interaction":
            given = sorted(self.model_fields_set - {"kind", "reranked"})
            if given:
                raise ValueError(f"a late interaction stands on the retriever, and has no `{given[0]}`")
        elif self.pair_tokens is None:
            raise ValueError("a cross-encoder needs `pair_tokens`")
        elif self.start == FRESH:
            refuse_undivided(self.hidden, self.heads)
        return self


class FirstSeeds(Spec):
    """How many seeds, and where the seeds of base runs and of what continues them begin."""

    count: Seeds
    base: FirstSeed
    continued: FirstSeed


class Frozen(Spec):
    """The commit that froze the settings before samplers were compared, and the hash of what it froze."""

    commit: str
    settings: str


class Hardware(Spec):
    """What a paper trained on, for plans; a run here takes as many processes as its command names."""

    gpus: Annotated[PositiveInt, Field(le=1_000_000)]
    gpu: str
    memory_gb: list[Annotated[PositiveInt, Field(le=10_000)]] = Field(
        min_length=1, description="several where the paper leaves it open"
    )
    queries_at_once: Batch = Field(
        description="of a batch, on one GPU, at most, by the paper; the trainer here has `places`"
    )
    recomputes: bool = Field(
        description="whether the paper computes activations twice; plans are then made with --recompute"
    )
    teraflops: Annotated[float, Field(gt=0, le=1e6)] | None = Field(
        default=None,
        description="10^12 operations a second that a GPU reaches, as stated; for plans",
    )


class OnDataset(Spec):
    """What stands on one dataset in the place of what a scale has for all."""

    tokens: Tokens | None = None
    encoder: Encoder | None = None
    ranker: RankerScale | None = None
    queries_at_once: Batch | None = Field(default=None, description="in the place of that of `hardware`")
    lacks: str | None = Field(
        default=None, min_length=1, description="what papers have there and nothing here makes; told by plans"
    )


class Scale(Spec):
    """experiments/scales/<scale>.yaml: compute only."""

    summary: str
    tokens: Tokens
    encoder: Encoder
    datasets: dict[str, OnDataset] = Field(
        default={},
        exclude_if=lambda datasets: not datasets,
        description="what is another on a dataset, by its name",
    )
    as_published: bool = Field(
        default=False, description="rates, batches, steps and refreshes are the published ones"
    )
    substitutes: dict[str, Substitute] = Field(
        default={},
        description="by what a phase trains, or by <recipe>/<phase>; the most specific wins, key by key",
    )
    ranker: RankerScale | None = None
    places: Places = Field(
        default=PLACES,
        exclude_if=lambda places: places == PLACES,
        description="token places of a bucket of a batch, padding included; they decide rounding and dropout",
    )
    precision: Precision = Field(
        default="float32",
        exclude_if=lambda precision: precision == "float32",
        description="of the products of matrices within a model while it trains",
    )
    candidates_cap: Candidates
    depth: Candidates
    gradient_queries: Queries | None = Field(
        default=None,
        exclude_if=absent,
        description="most queries of which gradients by rank are measured; by default the target's",
    )
    threads: Annotated[PositiveInt, Field(le=1024)]
    seeds: FirstSeeds
    hardware: Hardware | None = None
    frozen: list[Frozen] = Field(default=[])

    def on(self, dataset: str) -> Scale:
        """Return the scale with what it has for a dataset in the place of what it has for all."""
        own = self.datasets.get(dataset)
        if own is None:
            return self
        given = {key: getattr(own, key) for key in ("tokens", "encoder", "ranker")}
        changes: dict[str, object] = {key: value for key, value in given.items() if value is not None}
        if self.hardware is not None and own.queries_at_once is not None:
            changes["hardware"] = self.hardware.model_copy(update={"queries_at_once": own.queries_at_once})
        return self.model_copy(update=changes)

    @property
    def models(self) -> list[tuple[tuple[str, ...], Encoder | RankerScale]]:
        """Its encoders and rankers with their places, those of datasets last."""
        owners: list[tuple[tuple[str, ...], Scale | OnDataset]] = [((), self)]
        owners += [(("datasets", name), own) for name, own in self.datasets.items()]
        both = [((*at, key), getattr(of, key)) for at, of in owners for key in ("encoder", "ranker")]
        return [(at, model) for at, model in both if model is not None]

    @property
    def published_sizes(self) -> dict[str, PublishedSizes]:
        """The sizes of its checkpoints by their start, as far as they are written, and of released ones."""
        own = {of.start: of.published_sizes for _, of in self.models if of.published_sizes is not None}
        return own | {start: own[of.like] for start, of in RELEASED.items() if of.like in own}
