"""The parts of the resolved settings of runs: what `harness.specs.run_settings` puts together."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from harness.collections.collection import OwnKind
from harness.negatives.registry import AnyDraw, AnyLaw, AnySource
from harness.negatives.sources.source import Source
from harness.specs.base import (
    FRESH,
    Batch,
    Candidates,
    ClipNorm,
    Decay,
    Factor,
    InnerWidth,
    Layers,
    Length,
    Negatives,
    Places,
    Rate,
    Share,
    Steps,
    StepsOrNone,
    Vocabulary,
    Width,
    absent,
)
from harness.storage.places import LocalName
from harness.training.losses.registry import AnyLoss
from harness.training.protocols import PLACES, Precision
from harness.training.topologies.registry import AnyTopology
from harness.training.turns import AnyTurns

Pooling = Literal["cls", "mean", "idf-mean", "first-last"]
Trains = Literal["both-towers", "query-tower", "last-layer", "head", "ranker"]
"""What a phase trains; a head is a map over frozen vectors, see `harness.encoders.partial`."""
RankerKind = Literal["cross-encoder", "late-interaction"]
"""What a ranker is: it reads the tokens of both texts at once, or the frozen states of each."""
RERANKED = "-reranked"
"""What the name of a split ends in whose rankings a ranker has read again."""


class About(NamedTuple):
    """What `harness methods` says of a choice; it stands here, since the code behind it imports torch."""

    summary: str
    citation: str


POOLINGS: dict[Pooling, About] = {
    "cls": About("the first token's vector", "DPR (Karpukhin et al. 2020), section 3.1"),
    "mean": About("the mean over tokens", "Contriever (Izacard et al. 2022)"),
    "idf-mean": About("the mean over tokens, weighted by IDF", "Ours, docs/scratch-scale.md"),
    "first-last": About("the mean over tokens of first and last layer", "WhiteningBERT (Huang et al. 2021)"),
}


def refuse_undivided(hidden: int, heads: int) -> None:
    """Refuse a width that heads cannot share.

    Raises:
        ValueError: it is no multiple of their number.
    """
    if hidden % heads:
        raise ValueError(f"hidden {hidden} is no multiple of heads {heads}")


class Settings(BaseModel):
    """Strict and frozen; keys that are not known are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class TokenSettings(Settings):
    """How text becomes token ids."""

    vocabulary: Vocabulary | None = Field(
        None, exclude_if=absent, description="size of what is learnt from documents and training queries"
    )
    query_tokens: Length = Field(description="longest query")
    passage_tokens: Length = Field(description="longest passage")


class Sizes(NamedTuple):
    """Sizes of a fresh model."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    dropout: float


class StartedSettings(Settings):
    """A model by its start, with its sizes if it is fresh; a checkpoint says its own."""

    start: LocalName = Field(FRESH, description="fresh, a local folder, or a hub id")
    hidden: Width | None = Field(None, exclude_if=absent, description="width")
    layers: Layers | None = Field(None, exclude_if=absent)
    heads: Width | None = Field(None, exclude_if=absent)
    intermediate: InnerWidth | None = Field(
        None, exclude_if=absent, description="width of the feed-forward layers"
    )
    dropout: Share | None = Field(None, exclude_if=absent)

    @model_validator(mode="after")
    def _sized(self) -> StartedSettings:
        said = [getattr(self, key) is not None for key in Sizes._fields]
        if self.start == FRESH and not all(said):
            raise ValueError("a fresh model needs all of its sizes")
        if self.start != FRESH and any(said):
            raise ValueError("a checkpoint has its own sizes")
        if self.start == FRESH:
            refuse_undivided(self.sizes.hidden, self.sizes.heads)
        return self

    @property
    def sizes(self) -> Sizes:
        """The sizes of a fresh model.

        Raises:
            ValueError: it is a checkpoint.
        """
        of = self.hidden, self.layers, self.heads, self.intermediate, self.dropout
        match of:
            case (int(), int(), int(), int(), float() | int()):
                return Sizes(*of)
        raise ValueError(f"{self.start} has sizes of its own")


class EncoderSettings(StartedSettings):
    """The dual encoder."""

    token_dropout: Share = Field(description="share of tokens left out of pooling while training")
    pooling: Pooling | None = Field(
        None, exclude_if=absent, description="of a fresh encoder, or of a checkpoint that does not say it"
    )
    projection: Width | None = Field(None, description="width of a linear map after pooling")
    towers: Literal["shared", "separate"] | None = Field(
        "shared", description="none of a checkpoint that is taken with its own"
    )
    score_scale: Factor = Field(1.0, description="factor on the embeddings")

    @model_validator(mode="after")
    def _whole(self) -> EncoderSettings:
        if self.start == FRESH and None in (self.pooling, self.towers):
            raise ValueError("a fresh encoder needs a pooling and towers")
        return self


class PhaseSettings(Settings):
    """One phase of training: AdamW, linear rise and decay of the learning rate."""

    trains: Trains
    loss: AnyLoss = Field(description="over the scores of a query's positive and negatives")
    steps: StepsOrNone
    batch: Batch
    learning_rate: Rate
    weight_decay: Decay
    lr_warmup_share: Share = Field(description="share of the steps in which the learning rate rises")
    clip_norm: ClipNorm
    refresh: Steps | None = Field(None, description="steps between refreshes of the candidates")
    places: Places = Field(
        PLACES,
        exclude_if=lambda places: places == PLACES,
        description="token places of a bucket, which decide rounding and dropout",
    )
    precision: Precision = Field("float32", exclude_if=lambda precision: precision == "float32")
    watched: tuple[Literal["train", "test"], ...] = Field(
        (),
        exclude_if=lambda watched: not watched,
        description="splits that are looked at beside dev while it trains, by their first documents",
    )


class RankerSettings(StartedSettings):
    """A cross-encoder: where it starts from, its sizes where it is fresh, and what it reads."""

    hidden: Width | None = Field(
        None, exclude_if=absent, description="width, at most that of the retriever's words"
    )
    layers: Annotated[Layers, Field(ge=2)] | None = Field(None, exclude_if=absent)
    pair_tokens: Length = Field(description="longest query and passage together")


class LateInteractionSettings(Settings):
    """A ranker over the states of the retriever that it begins with, see `encoders.late_interaction`."""

    kind: Literal["late-interaction"] = "late-interaction"


class CoTraining(Settings):
    """A ranker beside a retriever: whose turn it is, and how its own steps are taken."""

    turns: AnyTurns
    loss: AnyLoss
    denoises: float | None = Field(
        default=None, description="greatest probability of relevance of a negative, where it denoises them"
    )
    labels: tuple[float, float] | None = Field(
        default=None, description="least probability of a pseudo-labelled positive, greatest of a negative"
    )
    learning_rate: Rate | None = Field(description="none where it takes no turn")
    weight_decay: Decay | None
    lr_warmup_share: Share | None
    clip_norm: ClipNorm | None


class SamplerSettings(Settings):
    """Source, law, draw and topology of the negatives."""

    preset: str
    source: AnySource | None = Field(description="where candidates come from; none where nothing is drawn")
    law: AnyLaw
    draw: AnyDraw
    topology: AnyTopology
    mask: str
    candidates: Candidates | None = Field(description="K, after the scale's cap; none where nothing is drawn")
    negatives: Negatives | None = Field(description="n for each positive; none where nothing is drawn")

    @property
    def drawn_from(self) -> Source:
        """The source of a sampler that draws.

        Raises:
            ValueError: it draws nothing.
        """
        if self.source is None:
            raise ValueError(f"sampler {self.preset} draws nothing")
        return self.source

    @property
    def draws(self) -> tuple[int, int]:
        """K and n of a sampler that draws.

        Raises:
            ValueError: it draws nothing.
        """
        if self.candidates is None or self.negatives is None:
            raise ValueError(f"sampler {self.preset} draws nothing")
        return self.candidates, self.negatives


class CollectionSettings(Settings):
    """Which collection serves a dataset at a scale."""

    kind: Literal["pydocs", "harvested", "planted", "not-available"] | OwnKind
    parameters: dict[str, int | float | bool | str] = Field(
        description="its published sizes where it is not available"
    )
    held_out: float | None = Field(
        default=None, gt=0, lt=1, description="share of its training queries that tuning holds out"
    )

    @property
    def available(self) -> bool:
        """Whether it can be had."""
        return self.kind != "not-available"

    @property
    def whole(self) -> CollectionSettings:
        """The collection that it is carved from; itself where nothing is held out."""
        return self.model_copy(update={"held_out": None})

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what does not apply: collections prepared before there was carving keep their names."""
        values: dict[str, Any] = handler(self)
        return {key: value for key, value in values.items() if key != "held_out" or value is not None}


class CheckpointSettings(Settings):
    """An encoder that was trained elsewhere."""

    start: LocalName = Field(description="a local folder, or a hub id")
    pooling: Pooling | None = Field(description="of a checkpoint that does not say it")
