"""What a kind of target consists of, from its file to plain rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.errors import UserError
from harness.specs.checks import Names
from harness.specs.loaded import LoadedTarget
from harness.specs.scale import Scale
from harness.specs.target import Row, Target
from harness.specs.yaml_file import Location, YamlFile


@dataclass(frozen=True)
class PlainRow:
    """A row written out.

    Attributes:
        place: position of the row that it comes from.
        data: the row as if it stood in the file.
        model: what it becomes.
        more: what its model holds beside the keys of a file.
        places: where a key below it is -> where the user wrote that, below the row that it comes from.
    """

    place: int
    data: dict[str, Any]
    model: type[Row]
    more: dict[str, Any]
    places: dict[Location, Location] = field(default_factory=dict)


def _nothing(*_: Any) -> Iterable[Any]:
    return ()


@dataclass(frozen=True)
class Kind:
    """A kind of target.

    Attributes:
        model: of its file.
        check: yields what is wrong in a file beyond the types of its values and `checks.check_target`; pieces
            wrong by themselves are reported elsewhere, so that it takes any content.
        plain_rows: yields the rows of a sound target written out, where a row stands for several.
        counted: what `harness show` counts for a row that stands for several, such as ``readings``; none
            if it shows them one by one.
        fit: yields what does not fit the files that the target names, beyond `fitting.check_fit`.
    """

    model: type[Target]
    check: Callable[[YamlFile, Names], Iterable[UserError]] = _nothing
    plain_rows: Callable[[YamlFile, Any], Iterable[PlainRow]] = _nothing
    counted: str | None = None
    fit: Callable[[YamlFile, LoadedTarget, Mapping[str, Scale]], Iterable[UserError]] = _nothing
