"""Sizes of datasets, beside those of the collections that stand in for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from harness.errors import UserError
from harness.specs.checks import Names, placed_rows
from harness.specs.kinds.kind import Kind
from harness.specs.kinds.shared_checks import check_dataset
from harness.specs.target import Heading, Line, Target
from harness.specs.yaml_file import YamlFile


class Count(Heading):
    """A column of counts: queries of a split, or documents."""

    count: Literal["train", "dev", "test", "documents"]


class Counted(Line):
    """A dataset's row; `dataset` where it has a collection here, which is counted."""

    kind: Literal["counted", "published", "unavailable"]
    dataset: str | None = None


class Statistics(Target):
    """Sizes of datasets, published beside those of the collections that stand in for them."""

    kind: Literal["statistics"]
    unit: Literal["count"] = "count"
    columns: list[Count] = Field(min_length=1)
    rows: list[Counted] = Field(min_length=1)

    @property
    def headings(self) -> Sequence[Heading]:
        """The counts."""
        return self.columns

    @property
    def datasets(self) -> list[str]:
        """Those of the rows, each once."""
        return list(dict.fromkeys(row.dataset for row in self.rows if row.dataset))


def _check(yaml_file: YamlFile, library: Names) -> Iterator[UserError]:
    """Check that the rows that are counted, and no others, name a dataset."""
    for place, row in placed_rows(yaml_file):
        counted = row.get("kind") == "counted"
        if isinstance(row.get("dataset"), str):
            yield from check_dataset(yaml_file, ("rows", place, "dataset"), library)
        if "kind" in row and counted != ("dataset" in row):
            what = f"row '{row.get('name')}' is of kind '{row['kind']}'"
            fix = "a counted row names a `dataset`, no other row does"
            yield yaml_file.error(("rows", place, "kind"), what, fix)
    if not any(row.get("kind") == "counted" for _, row in placed_rows(yaml_file)):
        yield yaml_file.error(("rows",), "no row is counted", "give one `kind: counted` and its `dataset`")


STATISTICS = Kind(Statistics, _check)
