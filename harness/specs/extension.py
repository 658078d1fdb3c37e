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
from harness.specs.yaml_file import Location, YamlFile

EXTENDS = "extends"


@dataclass(frozen=True, eq=False)
class ExtendedFile(YamlFile):
    """A file with what it takes over; errors point to the file, and the line of it, that is wrong.

    Attributes:
        own: the file itself; a key that is in neither file is missing there.
        places: where a key stands in the whole -> the file that has it, and where it stands in that.
    """

    own: YamlFile
    places: dict[Location, tuple[YamlFile, Location]]

    def where(self, location: Location) -> str:
        """Return file and line of a key."""
        yaml_file, place = self._place(location)
        return yaml_file.where(place)

    def error(self, location: Location, what: str, fix: str | None = None) -> UserError:
        """Return an error that points to a key in the file that has it."""
        yaml_file, place = self._place(location)
        return yaml_file.error(place, what, fix)

    def _place(self, location: Location) -> tuple[YamlFile, Location]:
        for end in range(len(location), 0, -1):
            if location[:end] in self.places:
                yaml_file, place = self.places[location[:end]]
                return yaml_file, (*place, *location[end:])
        return self.own, location


def extend(yaml_file: YamlFile, base: YamlFile) -> YamlFile:
    """Return a file over another.

    Args:
        yaml_file: says what differs.
        base: the file that it extends, with all that this takes over itself.

    Raises:
        SpecErrors: a key is to be removed that is not there, or a row is listed twice.
    """
    merge = _Merge(yaml_file, base)
    data = merge.keys((), (), ())
    if all(isinstance(of.at(("shared",)), dict) for of in (yaml_file, base)):
        data["shared"] = merge.keys(("shared",), ("shared",), ("shared",))
    if all(isinstance(of.at(("rows",)), list) for of in (yaml_file, base)):
        data["rows"] = list(merge.rows())
    del data[EXTENDS]
    if merge.problems:
        raise SpecErrors(merge.problems)
    return ExtendedFile(yaml_file.path, data, yaml_file.lines, yaml_file, merge.places)


@dataclass(frozen=True)
class _Merge:
    yaml_file: YamlFile
    base: YamlFile
    places: dict[Location, tuple[YamlFile, Location]] = field(default_factory=dict)
    problems: list[UserError] = field(default_factory=list)

    def keys(self, here: Location, own: Location, other: Location) -> dict[str, Any]:
        """Return a mapping of the base under that of the file; `here` is its place in the whole."""
        merged = dict(self.base.at(other))
        self.places.update({(*here, key): (self.base, (*other, key)) for key in merged})
        for key, value in self.yaml_file.at(own).items():
            self.places[*here, key] = self.yaml_file, (*own, key)
            if value is not None:
                merged[key] = value
            elif key in merged:
                del merged[key]
            else:
                what = f"{self.base.path} has no such key to remove"
                self.problems.append(self.yaml_file.error((*own, key), what, "leave it out"))
        return merged

    def rows(self) -> Iterator[Any]:
        """Yield the rows of the base as the file changes them, its new ones among them."""
        for number, (own, other) in enumerate(self._order()):
            here: Location = ("rows", number)
            self.places[here] = (self.yaml_file, own) if own else (self.base, other)
            if own and other:
                yield self.keys(here, own, other)
            else:
                yield self.yaml_file.at(own) if own else self.base.at(other)

    def _order(self) -> list[tuple[Location, Location]]:
        """Return where each row stands in the file and in the base; an empty place where it does not."""
        known = [_name(row) for row in self.base.at(("rows",))]
        order: list[tuple[Location, Location]] = [((), ("rows", place)) for place in range(len(known))]
        listed: list[Any] = []
        behind = 0
        for number, row in enumerate(self.yaml_file.at(("rows",))):
            own, name = ("rows", number), _name(row)
            if name is not None and name in listed:
                self.problems.append(
                    self.yaml_file.error((*own, "name"), f"'{name}' is given twice", "keep one")
                )
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
