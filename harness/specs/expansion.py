"""Plain rows: a row that stands for several, by its readings or in pairs with itself, is written out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from harness.errors import SpecErrors, UserError
from harness.specs.checks import Names, check_target
from harness.specs.kinds import NEGATIVES, Point, Sweep, Swept
from harness.specs.loading import in_order, try_parse
from harness.specs.models import Calibration, Reading, Readings, Row, Side, Target
from harness.specs.samplers import Parameter, by_name
from harness.specs.yaml_file import Location, YamlFile

SAMPLER = ("sampler",)


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


@dataclass(frozen=True)
class ExpandedFile(YamlFile):
    """A file with its rows written out; errors point to where the user wrote them."""

    written: YamlFile
    rows: tuple[PlainRow, ...]

    def where(self, location: Location) -> str:
        """Return file and line of the key that the user wrote."""
        return self.written.where(self._written(location))

    def error(self, location: Location, what: str, fix: str | None = None) -> UserError:
        """Return an error that points to the key that the user wrote."""
        return self.written.error(self._written(location), what, fix)

    def _written(self, location: Location) -> Location:
        """Return the written place; of a value that a reading or a point chose, where it was chosen."""
        if location[:1] != ("rows",) or len(location) == 1:
            return location
        row, below = self.rows[int(location[1])], location[2:]
        for start, place in row.places.items():
            if below[: len(start)] == start:
                inside = below[len(start) :] if start[:1] != SAMPLER else ()
                return ("rows", row.place, *place, *inside)
            if len(below) > 1 and start[: len(below)] == below:
                return ("rows", row.place, *place)
        return ("rows", row.place, *below)


def expand(yaml_file: YamlFile, target: Target, library: Names) -> tuple[YamlFile, Target]:
    """Return the file and the target with plain rows; both as they are where no row stands for several.

    Args:
        yaml_file: the target's file.
        target: the target, sound as it is written.
        library: knows the names of recipes, datasets and scales.

    Raises:
        SpecErrors: paths or values that no sampler has.
    """
    rows = tuple(_plain_rows(yaml_file, target))
    if not rows:
        return yaml_file, target
    data = {**yaml_file.data, "rows": [row.data for row in rows]}
    expanded = ExpandedFile(yaml_file.path, data, yaml_file.lines, yaml_file, rows)
    parsed, errors = try_parse(expanded, type(target), "row")
    errors += check_target(expanded, library)
    if parsed is None or errors:
        raise SpecErrors(in_order(errors))
    made = [plain.model(**dict(row), **plain.more) for row, plain in zip(parsed.rows, rows, strict=True)]
    return expanded, target.model_copy(update={"rows": made})


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """Return the last step of each path, or the whole path where two end alike.

    >>> short_names(["law.gap", "source.count"])
    {'law.gap': 'gap', 'source.count': 'count'}
    """
    every = list(dict.fromkeys(paths))
    last = [path.rpartition(".")[2] for path in every]
    return {path: step if last.count(step) == 1 else path for path, step in zip(every, last, strict=True)}


def value_text(value: Parameter) -> str:
    """Return a value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain_rows(yaml_file: YamlFile, target: Target) -> Iterator[PlainRow]:
    """Yield the rows of a target written out; none where no row stands for several."""
    if isinstance(target, Readings):
        for place, row in enumerate(target.rows):
            yield from _readings(yaml_file, place, row)
    elif isinstance(target, Calibration):
        yield from _sides(yaml_file, target)
    elif isinstance(target, Sweep):
        for place, row in enumerate(target.rows):
            yield from _points(yaml_file, place, row, target.parameter)


def _readings(yaml_file: YamlFile, place: int, row: Row) -> Iterator[PlainRow]:
    """Yield a row under all combinations of its readings, the last path changing fastest."""
    written = {key: value for key, value in yaml_file.at(("rows", place)).items() if key != "readings"}
    names = short_names(row.readings)
    for values in product(*row.readings.values()):
        reading = dict(zip(row.readings, values, strict=True))
        chosen = ", ".join(f"{names[path]} {value_text(value)}" for path, value in reading.items())
        sampler = by_name(written.get("sampler"))
        for path, value in reading.items():
            sampler = _with(sampler, path, value)
        data = {**written, "name": f"{row.name}: {chosen}" if chosen else row.name, "sampler": sampler}
        places: dict[Location, Location] = {_in_sampler(path): ("readings", path) for path in reading}
        yield PlainRow(place, data, Reading, {"reading_of": row.name, "reading": reading}, places)


def _sides(yaml_file: YamlFile, target: Calibration) -> Iterator[PlainRow]:
    """Yield the one row of a calibration as both sides of each pair."""
    written, name = yaml_file.at(("rows", 0)), target.rows[0].name
    for pair in range(1, target.pairs + 1):
        for side in ("A", "B"):
            data = {**written, "name": f"{name}: pair {pair}, side {side}"}
            yield PlainRow(0, data, Side, {"side_of": name, "pair": pair, "side": side})


def _points(yaml_file: YamlFile, place: int, row: Swept, parameter: str) -> Iterator[PlainRow]:
    """Yield a row of a sweep at each of its values."""
    written, name = yaml_file.at(("rows", place)), short_names([parameter])[parameter]
    for number, value in enumerate(row.values):
        here: Location = ("values", number)
        places: dict[Location, Location] = {("values", 0): here, ("published",): (*here, "published")}
        data = {**written, "name": f"{row.name}: {name} {value_text(value.at)}"}
        data |= {"values": [written["values"][number]], "published": value.published}
        if parameter != NEGATIVES and row.sampler is not None:
            data["sampler"] = _with(by_name(written["sampler"]), parameter, value.at)
            places[_in_sampler(parameter)] = (*here, "at")
        yield PlainRow(place, data, Point, {"point_of": row.name, "parameter": parameter}, places)


def _in_sampler(path: str) -> Location:
    """Return where a path into the sampler leads, below its row."""
    return (*SAMPLER, *path.split("."))


def _with(choice: Mapping[str, Any], path: str, value: Parameter) -> dict[str, Any]:
    """Return a choice with a value put at a dotted path."""
    first, _, rest = path.partition(".")
    return {**choice, first: _with(choice.get(first, {}), rest, value) if rest else value}
