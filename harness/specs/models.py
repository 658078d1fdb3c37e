"""What a spec file may say, kind by kind; strict, frozen, unknown keys refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Parameter = bool | int | float | str
Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Spec(BaseModel):
    """Base of everything read from a spec file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Note(Spec):
    """An entry of a paper's register of discrepancies."""

    id: str
    severity: Literal["low", "medium", "high"]
    text: str


class Paper(Spec):
    """experiments/<paper>/paper.yaml."""

    title: str
    citation: str
    code: str
    notes: list[Note] = []


class Column(Spec):
    """A column of a table: what is printed above it, on which dataset, by which measure of ir-measures."""

    label: str
    dataset: str
    measure: str


class Shared(Spec):
    """What all rows of a target have in common, as the paper set it; K may be capped by the scale."""

    recipe: str
    candidates: Positive
    negatives: Positive


class SamplerChoice(Spec):
    """A preset, with changes to its law's parameters, its draw or its mask."""

    preset: str
    with_: Annotated[dict[str, Parameter], Field(alias="with")] = {}
    draw: str | None = None
    mask: str | None = None


def _preset_alone(value: Any) -> Any:
    return {"preset": value} if isinstance(value, str) else value


class Row(Spec):
    """A row as printed, or one of ours; `recipe` where it differs from the shared one."""

    name: str
    kind: Literal["trained", "evaluated", "published", "control", "reference", "unavailable"]
    evaluates: Literal["bm25", "warm-up"] | None = None
    recipe: str | None = None
    sampler: Annotated[SamplerChoice | None, BeforeValidator(_preset_alone)] = None
    published: list[str | None] | None = None
    note: str | None = None


class Target(Spec):
    """experiments/<paper>/<target>.yaml: a table or a figure."""

    title: str
    kind: Literal[
        "comparison", "statistics", "cost", "sweep", "curve", "regions", "ranks", "not reproducible"
    ]
    source: str
    unit: Literal["percent", "fraction", "s"] = "percent"
    columns: Annotated[list[Column], Field(min_length=1)]
    primary: str
    baseline: str
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    scales: Annotated[list[str], Field(min_length=1)]
    seeds: Positive | None = None
    shared: Shared
    rows: Annotated[list[Row], Field(min_length=1)]
    notes: list[str] = []
    remarks: list[str] = []


class Loss(Spec):
    """Which loss, at which temperature."""

    name: Literal["softmax-cross-entropy"]
    temperature: Annotated[float, Field(gt=0)] = 1.0


class Schedule(Spec):
    """Linear warm-up and decay, clipping, weight decay."""

    warm_up_share: Share
    clip_norm: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]


class Recipe(Spec):
    """experiments/recipes/<recipe>.yaml: how a retriever is trained."""

    summary: str
    source: str
    start: str | None = None
    negatives: Literal["in-batch", "drawn"]
    loss: Loss
    schedule: Schedule
    departs: str | None = None


class CollectionChoice(Spec):
    """The collection that serves a dataset at a scale."""

    kind: Literal["pydocs", "planted"]
    parameters: dict[str, int | float] = {}


class FurtherMeasure(Spec):
    """A measure that every table of the dataset carries beside the printed ones."""

    label: str
    measure: str


class Dataset(Spec):
    """experiments/datasets/<dataset>.yaml."""

    title: str
    titles: bool
    collections: dict[str, CollectionChoice]
    further: list[FurtherMeasure] = []


class Tokens(Spec):
    """Vocabulary size of learnt word pieces; longest query and passage in tokens."""

    vocabulary: Positive
    query_tokens: Positive
    passage_tokens: Positive


class Encoder(Spec):
    """The encoder of a scale; sizes count where it starts `fresh`, else `start` is a folder or hub id."""

    start: str = "fresh"
    hidden: Positive = 768
    layers: Annotated[int, Field(ge=0)] = 12
    heads: Positive = 12
    intermediate: Positive = 3072
    dropout: Share = 0.1
    token_dropout: Share = 0.0
    pooling: Literal["cls", "mean", "idf-mean", "first-last"] = "cls"
    projection: Positive | None = None
    towers: Literal["shared", "separate"] = "shared"
    score_scale: Annotated[float, Field(gt=0)] = 1.0


class Rates(Spec):
    """Learning rates; they belong to the encoder, hence to the scale."""

    warm_up: Annotated[float, Field(gt=0)]
    continued: Annotated[float, Field(gt=0)]


class Steps(Spec):
    """Optimizer steps of each phase, and between refreshes of the candidates."""

    warm_up: Positive
    continued: Positive
    refresh: Positive


class Batches(Spec):
    """Queries in a batch, phase by phase."""

    warm_up: Positive
    continued: Positive


class Seeds(Spec):
    """How many seeds, and where the seeds of warm-ups and of continued training begin."""

    count: Positive
    warm_up: Annotated[int, Field(ge=0)]
    continued: Annotated[int, Field(ge=0)]


class Frozen(Spec):
    """The commit that froze the settings before samplers were compared, and the hash of what it froze."""

    commit: str
    settings: str


class Scale(Spec):
    """experiments/scales/<scale>.yaml: compute only."""

    summary: str
    tokens: Tokens
    encoder: Encoder
    learning_rate: Rates
    steps: Steps
    batch: Batches
    candidates_cap: Positive
    depth: Positive
    threads: Positive
    seeds: Seeds
    frozen: Frozen | None = None


OWNERS: dict[str, str] = {
    **dict.fromkeys(("collections", "titles", "further"), "dataset"),
    **dict.fromkeys(("start", "loss", "schedule", "warm_up_share", "clip_norm", "weight_decay"), "recipe"),
    **dict.fromkeys(
        ("encoder", "tokens", "steps", "batch", "learning_rate", "candidates_cap", "depth", "threads"),
        "scale",
    ),
    **dict.fromkeys(("sampler", "candidates", "mask", "draw", "published", "evaluates"), "row"),
}
"""Who may set a key; a file of another kind that sets it gets an error that names both."""

PLACES = {
    "dataset": "experiments/datasets/",
    "recipe": "experiments/recipes/",
    "scale": "experiments/scales/",
    "row": "a row or `shared` of a target",
}
