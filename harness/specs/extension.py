"""A target that extends another: its file holds what differs, and takes over all else.

Keys at the top replace those of the other file, `shared` is merged key by key, `rows` by their names. A row
whose name the other file has changes keys of that row; a new one stands behind the row listed before it, or
at the top. A key that is null is removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.errors import SpecErrors, UserError
from harness.specs.yaml_file import Location, Source

EXTENDS = "extends"


@dataclass(frozen=True)
class ExtendedSource(Source):
    """A file with what it takes over; errors point to the file, and the line of it, that is wrong.

    Attributes:
        own: the file itself; a key that is in neither file is missing there.
        places: where a key stands in the whole -> the file that has it, and where it stands in that.
    """

    own: Source
    places: dict[Location, tuple[Source, Location]]

    def where(self, location: Location) -> str:
        """Return file and line of a key."""
        source, place = self._place(location)
        return source.where(place)

    def error(self, location: Location, what: str, fix: str | None = None) -> UserError:
        """Return an error that points to a key in the file that has it."""
        source, place = self._place(location)
        return source.error(place, what, fix)

    def _place(self, location: Location) -> tuple[Source, Location]:
        for end in range(len(location), 0, -1):
            if location[:end] in self.places:
                source, place = self.places[location[:end]]
                return source, (*place, *location[end:])
        return self.own, location


def extend(source: Source, base: Source) -> Source:
    """Return a file over another.

    Args:
        source: says what differs.
        base: the file that it extends, with all that this takes over itself.

    Raises:
        SpecErrors: a key is to be removed that is not there, or a row is listed twice.
    """
    merge = _Merge(source, base)
    data = merge.keys((), (), ())
    if all(isinstance(of.at(("shared",)), dict) for of in (source, base)):
        data["shared"] = merge.keys(("shared",), ("shared",), ("shared",))
    if all(isinstance(of.at(("rows",)), list) for of in (source, base)):
        data["rows"] = list(merge.rows())
    del data[EXTENDS]
    if merge.problems:
        raise SpecErrors(merge.problems)
    return ExtendedSource(source.path, data, source.lines, source, merge.places)


@dataclass(frozen=True)
class _Merge:
    source: Source
    base: Source
    places: dict[Location, tuple[Source, Location]] = field(default_factory=dict)
    problems: list[UserError] = field(default_factory=list)

    def keys(self, here: Location, own: Location, other: Location) -> dict[str, Any]:
        """Return a mapping of the base under that of the file; `here` is its place in the whole."""
        merged = dict(self.base.at(other))
        self.places.update({(*here, key): (self.base, (*other, key)) for key in merged})
        for key, value in self.source.at(own).items():
            self.places[*here, key] = self.source, (*own, key)
            if value is not None:
                merged[key] = value
            elif key in merged:
                del merged[key]
            else:
                what = f"{self.base.path} has no such key to remove"
                self.problems.append(self.source.error((*own, key), what, "leave it out"))
        return merged

    def rows(self) -> Iterator[Any]:
        """Yield the rows of the base as the file changes them, its new ones among them."""
        for number, (own, other) in enumerate(self._order()):
            here: Location = ("rows", number)
            self.places[here] = (self.source, own) if own else (self.base, other)
            if own and other:
                yield self.keys(here, own, other)
            else:
                yield self.source.at(own) if own else self.base.at(other)

    def _order(self) -> list[tuple[Location, Location]]:
        """Return where each row stands in the file and in the base; an empty place where it does not."""
        known = [_name(row) for row in self.base.at(("rows",))]
        order: list[tuple[Location, Location]] = [((), ("rows", place)) for place in range(len(known))]
        listed: list[Any] = []
        behind = 0
        for number, row in enumerate(self.source.at(("rows",))):
            own, name = ("rows", number), _name(row)
            if name is not None and name in listed:
                self.problems.append(self.source.error((*own, "name"), f"'{name}' stands twice", "keep one"))
            elif name is not None and name in known:
                other = ("rows", known.index(name))
                place = [there for _, there in order].index(other)
                order[place], behind = (own, other), place + 1
            else:
                order.insert(behind, (own, ()))
                behind += 1
            listed.append(name)
        return order


def _name(row: Any) -> Any:
    return row.get("name") if isinstance(row, dict) else None
