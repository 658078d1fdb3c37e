"""Gradients at each rank of the negatives, as in SimANS's Figure 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from harness.errors import UserError
from harness.specs.base import Candidates, Queries
from harness.specs.checks import MADE_BY_TRAINING, Names, placed_rows
from harness.specs.kinds.kind import Kind
from harness.specs.kinds.shared_checks import check_dataset, check_made
from harness.specs.target import BM25, Heading, Trained
from harness.specs.yaml_file import YamlFile

LEAST_QUERIES = 16
"""Fewest queries: bands resample 16 groups of queries, and of fewer they would look too narrow."""


class Ranks(Trained):
    """Mean and variance of the gradients of negatives at each rank, for the retriever of each row."""

    kind: Literal["ranks"]
    unit: Literal["fraction"] = "fraction"
    dataset: str
    split: Literal["dev", "test"] = Field(default="dev", description="the queries whose negatives are ranked")
    ranks: Annotated[Candidates, Field(ge=20)] = Field(
        default=200, description="negatives of each query, from rank 1"
    )
    queries: Annotated[Queries, Field(ge=LEAST_QUERIES)] | None = Field(
        default=None, description="at most so many queries, drawn from the split; all by default"
    )

    @property
    def headings(self) -> Sequence[Heading]:
        """None: it prints no figures."""
        return ()

    @property
    def datasets(self) -> list[str]:
        """The one dataset."""
        return [self.dataset]


def _check(yaml_file: YamlFile, library: Names) -> Iterator[UserError]:
    """Check that there is a dataset, and that every row has an encoder of ours."""
    yield from check_made(yaml_file, (*MADE_BY_TRAINING, "reference"))
    if isinstance(yaml_file.at(("dataset",)), str):
        yield from check_dataset(yaml_file, ("dataset",), library)
    for place, row in placed_rows(yaml_file):
        if row.get("evaluates") == BM25:
            what = "BM25 has no gradients"
            yield yaml_file.error(("rows", place, "evaluates"), what, "evaluate a phase, or remove the row")


RANKS = Kind(Ranks, _check)
"""The report over ranks: curves with bands, and which of the paper's findings hold."""
