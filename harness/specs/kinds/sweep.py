"""Rows over the values of one parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import Field

from harness.errors import UserError
from harness.specs.base import Spec
from harness.specs.checks import MADE_BY_TRAINING, Names, placed_rows
from harness.specs.kinds.cost import CostColumn
from harness.specs.kinds.kind import Kind, PlainRow
from harness.specs.kinds.shared_checks import check_free, check_one_dataset
from harness.specs.run_settings import TrainedRun
from harness.specs.sampler_paths import in_sampler, short_names, value_text, with_value
from harness.specs.samplers import Parameter, SamplerChoice, by_name
from harness.specs.target import Heading, Measured, Printed, Row, Shared
from harness.specs.varied import varied
from harness.specs.yaml_file import Location, YamlFile

NEGATIVES, RATE = "negatives", "learning_rate"
OF_RUN = (NEGATIVES, RATE)
"""Parameters of a sweep that are no path into a sampler."""


class Value(Spec):
    """A value of what a sweep varies, and the figures printed for it, one a column."""

    at: Parameter
    published: list[Printed | None] | None = None


class Swept(Row):
    """A row of a sweep, with the values that it is made at."""

    values: list[Value] = Field(min_length=1)


class Point(Swept):
    """A row of a sweep at one value.

    Attributes:
        point_of: name of the row as written.
        parameter: what the sweep varies.
    """

    point_of: str
    parameter: str

    @property
    def written(self) -> str:
        """Name of the row as the file has it."""
        return self.point_of

    @property
    def at(self) -> Parameter:
        """The value."""
        return self.values[0].at

    def under(self, shared: Shared) -> Shared:
        """Return what all rows share, with the row's own, and the point's n where that is what is varied."""
        own = super().under(shared)
        return own.model_copy(update={NEGATIVES: self.at}) if self.parameter == NEGATIVES else own

    def tuned(self, settings: TrainedRun) -> TrainedRun:
        """Return the settings of the row's run, at the point's rate where that is what is varied."""
        return varied(settings, {RATE: self.at}) if self.parameter == RATE else settings


class Sweep(Measured):
    """Rows over the values of one parameter, one of `OF_RUN` or a path into the sampler such as ``law.a``."""

    kind: Literal["sweep"]
    parameter: str
    costs: list[CostColumn] = Field(default=[])
    rows: list[Swept] = Field(min_length=1)  # type: ignore[assignment]

    @property
    def varies_numbers(self) -> bool:
        """Whether its rows are trained at other rates than the scale's."""
        return self.parameter == RATE

    @property
    def headings(self) -> Sequence[Heading]:
        """The measures, then the costs."""
        return [*self.columns, *self.costs]

    @property
    def is_timed(self) -> bool:
        """Whether it prints costs."""
        return bool(self.costs)


def _check(yaml_file: YamlFile, _: Names) -> Iterator[UserError]:
    yield from check_one_dataset(yaml_file)
    yield from _check_parameter(yaml_file)
    for place, row in placed_rows(yaml_file):
        yield from _check_swept(yaml_file, place, row)


def _check_parameter(yaml_file: YamlFile) -> Iterator[UserError]:
    """Check that a sweep varies something that there is."""
    known = [*OF_RUN, *(of.alias or name for name, of in SamplerChoice.model_fields.items())]
    parameter = yaml_file.at(("parameter",))
    if isinstance(parameter, str) and parameter.partition(".")[0] not in known:
        what = f"'{parameter}' is no parameter"
        fix = f"`{NEGATIVES}`, `{RATE}`, or a path into the sampler such as `law.a`"
        yield yaml_file.error(("parameter",), what, fix)


def _check_swept(yaml_file: YamlFile, place: int, row: dict[str, Any]) -> Iterator[UserError]:
    """Check that the values of a row differ, are what the sampler leaves free, and carry its figures."""
    parameter, values = yaml_file.at(("parameter",)), row.get("values")
    if "published" in row:
        what = "published figures of a sweep stand with the values that they are printed for"
        yield yaml_file.error(("rows", place, "published"), what, "move them below `values`")
    if "kind" in row and row["kind"] not in (*MADE_BY_TRAINING, "published"):
        what = "rows of a sweep are made by training, or quoted"
        fix = f"one of: {', '.join((*MADE_BY_TRAINING, 'published'))}"
        yield yaml_file.error(("rows", place, "kind"), what, fix)
    if not isinstance(values, list) or not isinstance(parameter, str):
        return
    here: Location = ("rows", place, "values")
    points = [value.get("at") if isinstance(value, dict) else None for value in values]
    for number, value in enumerate(points):
        if value is not None and value in points[:number]:
            yield yaml_file.error((*here, number, "at"), f"{value!r} is given twice", "keep one")
        whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
        if parameter == NEGATIVES and value is not None and not whole:
            yield yaml_file.error((*here, number, "at"), f"got {value!r}", "expected a whole number above 0")
        if parameter == RATE and value is not None and not _is_rate(value):
            yield yaml_file.error(
                (*here, number, "at"), f"got {value!r}", "expected a learning rate, as 1.0e-3"
            )
    if parameter not in OF_RUN and row.get("published_sampler") is not None:
        what = "a row of a sweep has the values of its sampler that are varied"
        yield yaml_file.error(("rows", place, "published_sampler"), what, "remove it")
    if parameter not in OF_RUN and row.get("sampler") is not None:
        yield from check_free(yaml_file, here, parameter.split("."), by_name(row["sampler"]))


def _is_rate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1e-12 <= value <= 1e9


def _plain_rows(yaml_file: YamlFile, target: Sweep) -> Iterator[PlainRow]:
    for place, row in enumerate(target.rows):
        yield from _points(yaml_file, place, row, target.parameter)


def _points(yaml_file: YamlFile, place: int, row: Swept, parameter: str) -> Iterator[PlainRow]:
    """Yield a row of a sweep at each of its values."""
    written, name = yaml_file.at(("rows", place)), short_names([parameter])[parameter]
    for number, value in enumerate(row.values):
        here: Location = ("values", number)
        places: dict[Location, Location] = {("values", 0): here, ("published",): (*here, "published")}
        data = {**written, "name": f"{row.name}: {name} {value_text(value.at)}"}
        data |= {"values": [written["values"][number]], "published": value.published}
        if parameter not in OF_RUN and row.sampler is not None:
            data["sampler"] = with_value(by_name(written["sampler"]), parameter, value.at)
            places[in_sampler(parameter)] = (*here, "at")
        yield PlainRow(place, data, Point, {"point_of": row.name, "parameter": parameter}, places)


SWEEP = Kind(Sweep, _check, _plain_rows)
