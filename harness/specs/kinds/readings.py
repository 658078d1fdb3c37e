"""Readings: one row compared with the others under every reading of what its paper leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Literal

from harness.errors import UserError, nearest
from harness.specs.checks import Names, placed_rows
from harness.specs.kinds.kind import Kind, PlainRow
from harness.specs.kinds.shared_checks import check_free, check_primary_alone
from harness.specs.sampler_paths import in_sampler, short_names, value_text, with_value
from harness.specs.samplers import Parameter, by_name
from harness.specs.target import Measured, Row
from harness.specs.yaml_file import Location, YamlFile

SEEDS_TO_ORDER = 5
"""With fewer seeds, table and figure say that they are too few to order readings."""


class Reading(Row):
    """A row under one reading of what its paper leaves open.

    Attributes:
        reading_of: name of the row as written.
        reading: path -> the value chosen.
    """

    reading_of: str
    reading: dict[str, Parameter]

    @property
    def written(self) -> str:
        """Name of the row as the file has it."""
        return self.reading_of


class Readings(Measured):
    """One row compared with the others under every combination of readings: a specification curve."""

    kind: Literal["readings"]
    focus: str

    @property
    def compared_with(self) -> str:
        """The row whose readings are compared with those of the others."""
        return self.focus


def _check(yaml_file: YamlFile, _: Names) -> Iterator[UserError]:
    yield from check_primary_alone(yaml_file)
    yield from _check_focus(yaml_file)
    for place, row in placed_rows(yaml_file):
        yield from _check_readings(yaml_file, place, row)


def _check_focus(yaml_file: YamlFile) -> Iterator[UserError]:
    focus, names = yaml_file.at(("focus",)), [row.get("name") for _, row in placed_rows(yaml_file)]
    if isinstance(focus, str) and focus not in names:
        known = [name for name in names if isinstance(name, str)]
        yield yaml_file.error(("focus",), f"unknown row '{focus}'", nearest(focus, known))


def _check_readings(yaml_file: YamlFile, place: int, row: dict[str, Any]) -> Iterator[UserError]:
    """Check that each path leads somewhere of its own, and that its values differ."""
    readings = row.get("readings")
    if not isinstance(readings, dict):
        return
    for path, values in readings.items():
        here = ("rows", place, "readings", path)
        if any(other.startswith(f"{path}.") for other in readings):
            yield yaml_file.error(here, f"another path leads through '{path}'", "keep one of the two")
        yield from check_free(yaml_file, here, path.split("."), by_name(row.get("sampler")))
        if isinstance(values, list):
            yield from _check_differ(yaml_file, here, values)


def _check_differ(yaml_file: YamlFile, here: Location, values: list[Any]) -> Iterator[UserError]:
    for place, value in enumerate(values):
        if value in values[:place]:
            yield yaml_file.error((*here, place), f"{value!r} is given twice", "keep one")


def _plain_rows(yaml_file: YamlFile, target: Readings) -> Iterator[PlainRow]:
    for place, row in enumerate(target.rows):
        yield from _combinations(yaml_file, place, row)


def _combinations(yaml_file: YamlFile, place: int, row: Row) -> Iterator[PlainRow]:
    """Yield a row under all combinations of its readings, the last path changing fastest."""
    written = {key: value for key, value in yaml_file.at(("rows", place)).items() if key != "readings"}
    names = short_names(row.readings)
    for values in product(*row.readings.values()):
        reading = dict(zip(row.readings, values, strict=True))
        chosen = ", ".join(f"{names[path]} {value_text(value)}" for path, value in reading.items())
        sampler = by_name(written.get("sampler"))
        for path, value in reading.items():
            sampler = with_value(sampler, path, value)
        data = {**written, "name": f"{row.name}: {chosen}" if chosen else row.name, "sampler": sampler}
        places: dict[Location, Location] = {in_sampler(path): ("readings", path) for path in reading}
        yield PlainRow(place, data, Reading, {"reading_of": row.name, "reading": reading}, places)


READINGS = Kind(Readings, _check, _plain_rows, counted="readings")
