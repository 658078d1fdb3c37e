"""What training costs, in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from harness.errors import UserError
from harness.evaluation.costs import CostName
from harness.specs.checks import Names
from harness.specs.kinds.kind import Kind
from harness.specs.kinds.shared_checks import check_dataset, check_made
from harness.specs.target import Heading, Trained
from harness.specs.yaml_file import YamlFile


class CostColumn(Heading):
    """A column of seconds that training takes, of `harness.evaluation.costs`, in the unit of the paper."""

    cost: CostName
    unit: Literal["s", "ms"] = "s"

    def unit_in(self, _: str) -> str:
        """Return its own unit."""
        return self.unit


class Cost(Trained):
    """What training with each row costs, in seconds, beside a baseline."""

    kind: Literal["cost"]
    unit: Literal["s"] = "s"
    dataset: str
    columns: list[CostColumn] = Field(min_length=1)
    baseline: str

    @property
    def headings(self) -> Sequence[Heading]:
        """The costs."""
        return self.columns

    @property
    def datasets(self) -> list[str]:
        """The one dataset."""
        return [self.dataset]

    @property
    def compared_with(self) -> str:
        """The baseline."""
        return self.baseline

    @property
    def is_timed(self) -> bool:
        """True: it prints nothing else."""
        return True


def _check(yaml_file: YamlFile, library: Names) -> Iterator[UserError]:
    yield from check_made(yaml_file)
    if isinstance(yaml_file.at(("dataset",)), str):
        yield from check_dataset(yaml_file, ("dataset",), library)


COST = Kind(Cost, _check)
