"""Which collection serves a dataset at a scale, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from harness.collections.answers import AnswersAre
from harness.collections.clusters import ClusteredBy
from harness.collections.collection import RELEVANT, OwnDocuments, TitlesAre
from harness.collections.harvested.names import ANSWERED, HarvestName
from harness.collections.layouts.assemble import DEV_SHARE, Absent, Titles
from harness.collections.layouts.dpr import Positives
from harness.collections.planted import DOCUMENT_LENGTH
from harness.specs.base import FirstSeed, Queries, Share, Spec

LARGEST_PLANTED = 1_000_000
"""Documents, or queries of a split, of a simulation; each is written word by word."""

LONGEST_PLANTED = 10_000
"""Words of a document of a simulation."""


class PlantedParameters(Spec):
    """The simulation's parameters; `harness.collections.planted` explains them."""

    topics: Annotated[PositiveInt, Field(le=LARGEST_PLANTED)]
    intents_per_topic: Annotated[PositiveInt, Field(le=LARGEST_PLANTED)]
    documents_per_intent: Annotated[PositiveInt, Field(le=LARGEST_PLANTED)]
    train_queries: Annotated[PositiveInt, Field(le=LARGEST_PLANTED)]
    dev_queries: Annotated[PositiveInt, Field(le=LARGEST_PLANTED)]
    test_queries: Annotated[PositiveInt, Field(le=LARGEST_PLANTED)]
    confusability: Share
    label_rate: float = Field(gt=0, le=1)
    seed: FirstSeed
    document_words: Annotated[PositiveInt, Field(le=LONGEST_PLANTED)] = Field(
        default=DOCUMENT_LENGTH,
        exclude_if=lambda words: words == DOCUMENT_LENGTH,
        description="words of a document",
    )
    answers: bool = Field(
        default=False,
        exclude_if=lambda answers: not answers,
        description="whether every other document of an intent holds its answer",
    )

    @model_validator(mode="after")
    def _bearable(self) -> PlantedParameters:
        documents = self.topics * self.intents_per_topic * self.documents_per_intent
        if documents > LARGEST_PLANTED:
            raise ValueError(f"{documents:,} documents; a simulation has at most {LARGEST_PLANTED:,}")
        return self


class PublishedSizes(Spec):
    """Documents and queries that papers count in a collection which cannot be had here."""

    documents: Annotated[PositiveInt, Field(le=10**12)]
    train: Queries
    dev: Queries
    test: Queries | None = None


class OwnParameters(Spec):
    """Choices for any collection of one's own; `harness.collections.layouts.assemble` explains them."""

    titles: Titles = Field(
        default=False,
        description="whether the title is put before each passage; `pair`: as a segment of its own, "
        "[CLS] title [SEP] text [SEP]",
    )
    dev_share: Share = Field(default=DEV_SHARE, description="of train, where there is no qrels/dev.tsv")
    own_documents: OwnDocuments = Field(
        default="out",
        description="a document with the id of a query, in that query's rankings and candidates",
    )
    absent: Absent = Field(default="refused", description="judgements of what is not in the collection")
    answers_are: AnswersAre = Field(
        default="texts",
        exclude_if=lambda answers_are: answers_are == "texts",
        description="how answers are matched: texts, or patterns (regular expressions), as of CuratedTREC",
    )


class BeirParameters(OwnParameters):
    """A folder or an archive; `harness.collections.layouts` explains its layouts."""

    folder: str = Field(min_length=1, description="from HARNESS_DATA, or else from the working folder")


class DprParameters(BeirParameters):
    """A folder or an archive of DPR's files; `harness.collections.layouts.dpr` explains it."""

    dataset: str | None = Field(
        default=None,
        min_length=1,
        exclude_if=lambda dataset: dataset is None,
        description="which, such as nq, where the folder has files of several",
    )
    positives: Positives = Field(
        default="first",
        description="labels of a question: its first positive passage, as DPR, AR2 and SimANS train, or all",
    )


class IrParameters(OwnParameters):
    """A data set of `ir_datasets`; `harness.collections.layouts.ir` explains it."""

    id: str = Field(min_length=1, description="such as msmarco-passage, or beir/scifact/test")


class HarvestedParameters(Spec):
    """Which of the harvested collections; `harness.collections.harvested` explains them."""

    name: HarvestName


class Choice(Spec):
    """What all kinds of collection have in common."""

    measured: Literal["test", "dev"] = Field(
        default="test", description="split whose queries the printed columns are measured on"
    )
    clusters: ClusteredBy | None = Field(
        default=None,
        description="what queries share that were not drawn independently: `positive`, the set of their "
        "labelled positives; intervals are over clusters then, and nothing is trained again",
    )

    @property
    def highest_grade(self) -> int | None:
        """The highest grade of its judgements; none where its files alone say it."""
        return None

    @property
    def has_answers(self) -> bool | None:
        """Whether its queries have answer strings; none where its files alone say it."""
        return None

    @property
    def has_titles(self) -> bool:
        """Whether a title stands before each passage."""
        return False

    @property
    def titles_are(self) -> TitlesAre:
        """How an encoder reads titles and passages."""
        return "joined"


class PydocsChoice(Choice):
    """The documentation of the installed packages."""

    kind: Literal["pydocs"]

    @property
    def highest_grade(self) -> int:
        """That of a relevant document."""
        return RELEVANT

    @property
    def has_answers(self) -> bool:
        """None has any."""
        return False

    @property
    def settings(self) -> dict[str, Any]:
        """What it is made from beside its kind."""
        return {}


class HarvestedChoice(Choice):
    """Other texts of the installed packages than `pydocs` has."""

    kind: Literal["harvested"]
    parameters: HarvestedParameters

    @property
    def highest_grade(self) -> int:
        """That of a relevant document."""
        return RELEVANT

    @property
    def has_answers(self) -> bool:
        """Whether its questions have answers."""
        return self.parameters.name in ANSWERED

    @property
    def settings(self) -> dict[str, Any]:
        """What it is made from beside its kind."""
        return self.parameters.model_dump()


class PlantedChoice(Choice):
    """A simulation."""

    kind: Literal["planted"]
    parameters: PlantedParameters

    @property
    def highest_grade(self) -> int:
        """That of a relevant document."""
        return RELEVANT

    @property
    def has_answers(self) -> bool:
        """Whether intents have answers."""
        return self.parameters.answers

    @property
    def settings(self) -> dict[str, Any]:
        """What it is made from beside its kind."""
        return self.parameters.model_dump()


class OwnChoice(Choice):
    """A collection of your own."""

    parameters: OwnParameters

    @property
    def has_titles(self) -> bool:
        """Whether its titles are put before its passages."""
        return bool(self.parameters.titles)

    @property
    def titles_are(self) -> TitlesAre:
        """How an encoder reads titles and passages."""
        return "pair" if self.parameters.titles == "pair" else "joined"

    @property
    def settings(self) -> dict[str, Any]:
        """What it is made from beside its kind."""
        return self.parameters.model_dump()


class BeirChoice(OwnChoice):
    """A collection of your own: a folder or an archive."""

    kind: Literal["beir", "msmarco", "simans", "parquet"]
    parameters: BeirParameters


class DprChoice(OwnChoice):
    """DPR's files of one dataset."""

    kind: Literal["dpr"]
    parameters: DprParameters


class IrChoice(OwnChoice):
    """A data set of `ir_datasets`."""

    kind: Literal["ir"]
    parameters: IrParameters


class NotAvailable(Choice):
    """A collection that cannot be had: it has sizes alone; runs on it can be planned, and cannot be made."""

    kind: Literal["not-available"]
    id: str | None = Field(default=None, min_length=1, description="what it is called where it is public")
    published: PublishedSizes
    titles: bool = Field(default=False, description="whether papers put a title before each passage")

    @property
    def has_titles(self) -> bool:
        """Whether papers put a title before each passage."""
        return self.titles

    @model_validator(mode="after")
    def _has_measured(self) -> NotAvailable:
        if self.measured == "test" and self.published.test is None:
            raise ValueError("no test queries are published; add `measured: dev`, or their number")
        return self

    @property
    def settings(self) -> dict[str, Any]:
        """Its published sizes."""
        return self.published.model_dump(exclude_none=True)


CollectionChoice = Annotated[
    PydocsChoice | HarvestedChoice | PlantedChoice | BeirChoice | DprChoice | IrChoice | NotAvailable,
    Field(discriminator="kind"),
]
"""The collection that serves a dataset at a scale."""
