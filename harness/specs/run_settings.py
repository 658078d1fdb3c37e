"""Resolved settings of a run, a type for each kind: all that it depends on, and nothing else.

What a row leaves to recipe, dataset and scale is filled in here, so that the layers below read one object.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, TypeAdapter

from harness.specs.base import FRESH, Candidates
from harness.specs.settings import (
    CheckpointSettings,
    CollectionSettings,
    CoTraining,
    EncoderSettings,
    LateInteractionSettings,
    PhaseSettings,
    RankerSettings,
    SamplerSettings,
    Settings,
    Sizes,
    TokenSettings,
)


class RunSettings(Settings):
    """What runs of all kinds have.

    ``recipe`` and ``phase_name`` are names alone, and no part of a fingerprint.
    """

    kind: Literal["base", "continued", "ranker", "bm25", "evaluated"]
    recipe: str
    phase_name: str
    collection: CollectionSettings
    seed: int
    measures: tuple[str, ...] = Field(description="names as ir-measures writes them, sorted")
    depth: Candidates = Field(description="length of a ranking")

    @property
    def below(self) -> dict[str, RunSettings]:
        """The runs that it depends on directly, by the names of the fields that hold them."""
        return {}

    @property
    def preset(self) -> str | None:
        """The preset of its sampler; none where nothing is trained."""
        return None


class Bm25Run(RunSettings):
    """Rankings by BM25; nothing is trained."""

    kind: Literal["bm25"]


class EvaluatedRun(RunSettings):
    """An encoder that was trained elsewhere; of `tokens` only the lengths apply."""

    kind: Literal["evaluated"]
    tokens: TokenSettings
    checkpoint: CheckpointSettings


class TrainedRun(RunSettings):
    """One phase of training."""

    tokens: TokenSettings
    encoder: EncoderSettings
    phase: PhaseSettings
    sampler: SamplerSettings

    @property
    def preset(self) -> str | None:
        """The preset of its sampler."""
        return self.sampler.preset


class BaseRun(TrainedRun):
    """A phase that continues no other."""

    kind: Literal["base"]


class StartedRun(TrainedRun):
    """A phase over the retriever of another run."""

    start: RetrieverRun = Field(description="the run whose retriever it starts from")

    @property
    def below(self) -> dict[str, RunSettings]:
        """The runs that it depends on directly, by the names of the fields that hold them."""
        return {"start": self.start}


class ContinuedRun(StartedRun):
    """A phase that goes on training a retriever."""

    kind: Literal["continued"]


class RankerRun(StartedRun):
    """A phase that trains a ranker alone, over the candidates of a retriever."""

    kind: Literal["ranker"]
    ranker: RankerSettings | LateInteractionSettings
    reranked: Candidates = Field(description="documents of a ranking that the ranker reads")

    @property
    def own_ranker(self) -> RankerRun:
        """The run that made the ranker, or begins to."""
        return self

    @property
    def pair_tokens(self) -> int:
        """The most tokens of a query and a passage that its ranker reads together."""
        if isinstance(self.ranker, RankerSettings):
            return self.ranker.pair_tokens
        return self.tokens.query_tokens + self.tokens.passage_tokens


class TaughtRun(ContinuedRun):
    """A phase that goes on training a retriever, beside a ranker."""

    teacher: RankedRun = Field(description="the run whose ranker teaches")
    co_training: CoTraining = Field(description="how that ranker takes part")
    reranked: Candidates = Field(description="documents of a ranking that the ranker reads")

    @property
    def below(self) -> dict[str, RunSettings]:
        """The runs that it depends on directly, by the names of the fields that hold them."""
        return {"start": self.start, "teacher": self.teacher}

    @property
    def own_ranker(self) -> RankerRun:
        """The run that made the ranker beside it."""
        return self.teacher.own_ranker


def starts(settings: RunSettings) -> set[str]:
    """Return the folders and hub ids that a run and those below it start from; none where all is fresh."""
    own = {start for below in settings.below.values() for start in starts(below)}
    match settings:
        case EvaluatedRun():
            own.add(settings.checkpoint.start)
        case RankerRun():
            own |= {settings.ranker.start} if isinstance(settings.ranker, RankerSettings) else set()
        case BaseRun():
            own.add(settings.encoder.start)
    return own - {FRESH}


def _tag(values: Any) -> str | None:
    """Return which type settings are of; what is continued beside a ranker says so by its teacher."""
    if isinstance(values, RunSettings):
        return "taught" if isinstance(values, TaughtRun) else values.kind
    kind = values.get("kind") if isinstance(values, dict) else None
    return "taught" if kind == "continued" and values.get("teacher") is not None else kind


RetrieverRun = Annotated[
    Annotated[BaseRun, Tag("base")]
    | Annotated[ContinuedRun, Tag("continued")]
    | Annotated[TaughtRun, Tag("taught")],
    Discriminator(_tag),
]
"""A run that trains a retriever."""

RankedRun = Annotated[
    Annotated[RankerRun, Tag("ranker")] | Annotated[TaughtRun, Tag("taught")], Discriminator(_tag)
]
"""A run with a ranker: its own, or one beside its retriever."""


@lru_cache(maxsize=1)
def _any_kind() -> TypeAdapter[RunSettings]:
    """Return what reads the settings of a run of any kind; to make it takes long."""
    return TypeAdapter(
        Annotated[
            Annotated[Bm25Run, Tag("bm25")]
            | Annotated[EvaluatedRun, Tag("evaluated")]
            | Annotated[BaseRun, Tag("base")]
            | Annotated[ContinuedRun, Tag("continued")]
            | Annotated[RankerRun, Tag("ranker")]
            | Annotated[TaughtRun, Tag("taught")],
            Discriminator(_tag),
        ]
    )


def read_run_settings(text: str) -> RunSettings:
    """Return the settings of a run of any kind.

    Args:
        text: of spec.json in its folder, as written now, or when one type stood for all kinds.

    Raises:
        pydantic.ValidationError: it holds something else; JSON that is broken included.
    """
    return _any_kind().validate_json(_without_other_kinds(text))


def _without_other_kinds(text: str) -> str:
    """Drop keys of other kinds with nothing in them, which one type for all kinds once wrote."""
    try:
        values = json.loads(text)
    except ValueError:
        return text
    return json.dumps(_own(values)) if isinstance(values, dict) else text


def _own(values: dict[str, Any]) -> dict[str, Any]:
    idle = {"bm25": {"encoder", "tokens"}, "evaluated": {"encoder"}}.get(str(values.get("kind")), set())
    kept = {key: of for key, of in values.items() if key not in idle and not (of is None and key in _OF_SOME)}
    return {
        key: _own(of)
        if key in ("start", "teacher") and isinstance(of, dict)
        else _unsized(of)
        if key in ("encoder", "ranker")
        else of
        for key, of in kept.items()
    }


def _unsized(model: Any) -> Any:
    """Drop the sizes that were once written beside a checkpoint, which has its own."""
    if not isinstance(model, dict) or model.get("start", FRESH) == FRESH:
        return model
    return {key: of for key, of in model.items() if key not in Sizes._fields}


_OF_SOME = {"start", "phase", "sampler", "ranker", "teacher", "co_training", "reranked", "checkpoint"}
