"""Sampling distributions of single queries, as in SimANS's Figure 5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, PositiveInt

from harness.errors import UserError
from harness.specs.base import Candidates
from harness.specs.checks import Names
from harness.specs.kinds.kind import Kind
from harness.specs.kinds.shared_checks import check_dataset, check_made
from harness.specs.target import Heading, Trained
from harness.specs.yaml_file import YamlFile


class Distributions(Trained):
    """The chance of each candidate to be drawn by a row's sampler, for some training queries."""

    kind: Literal["distributions"]
    unit: Literal["fraction"] = "fraction"
    dataset: str
    ranks: Candidates = Field(default=50, description="candidates that are shown of a query, from rank 1")
    queries: PositiveInt = Field(
        default=4,
        le=10_000,
        description="training queries, at even distances by how far their best candidate scores",
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
    """Check that there is a dataset, and that rows are trained."""
    yield from check_made(yaml_file)
    if isinstance(yaml_file.at(("dataset",)), str):
        yield from check_dataset(yaml_file, ("dataset",), library)


DISTRIBUTIONS = Kind(Distributions, _check)
"""The report of sampling distributions: a panel for each query."""
