"""What each kind of target asks of its rows and columns, beyond what all targets have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.errors import UserError, nearest
from harness.evaluation.measures import DEV_MEASURE
from harness.specs.checks import MADE_BY_TRAINING, Names
from harness.specs.kinds import NEGATIVES, TARGETS
from harness.specs.models import BM25
from harness.specs.samplers import SamplerChoice, by_name
from harness.specs.yaml_file import Location, YamlFile

ON_ONE_DATASET = ("sweep", "confirmation")
"""Kinds of target that have several columns, all on one dataset."""


def check_kind(yaml_file: YamlFile, library: Names) -> Iterator[UserError]:
    """Yield what does not fit the target's kind; pieces wrong by themselves are reported elsewhere."""
    kind = str(yaml_file.at(("kind",)))
    yield from _check_one_dataset(yaml_file, kind)
    if kind == "readings":
        yield from _check_primary_alone(yaml_file, kind)
        yield from _check_focus(yaml_file)
        for place, row in _rows(yaml_file):
            yield from _check_readings(yaml_file, place, row)
    elif kind in TARGETS:
        for place, row in _rows(yaml_file):
            if "readings" in row:
                what = f"a target of kind '{kind}' has no readings"
                yield yaml_file.error(("rows", place, "readings"), what, "remove them, or set kind: readings")
    if kind == "calibration":
        yield from _check_primary_alone(yaml_file, kind)
        yield from _check_one_row(yaml_file)
    if kind == "sweep":
        yield from _check_parameter(yaml_file)
        for place, row in _rows(yaml_file):
            yield from _check_swept(yaml_file, place, row)
    if kind == "curve":
        yield from _check_primary_alone(yaml_file, kind, (*MADE_BY_TRAINING, "reference"))
        yield from _check_watched(yaml_file)
    if kind in {"confirmation", "cost"}:
        yield from _check_made(yaml_file, kind)
    if kind == "cost" and isinstance(yaml_file.at(("dataset",)), str):
        yield from _check_dataset(yaml_file, ("dataset",), library)
    if kind == "statistics":
        yield from _check_counted(yaml_file, library)


def _check_primary_alone(
    yaml_file: YamlFile, kind: str, kinds: tuple[str, ...] = MADE_BY_TRAINING
) -> Iterator[UserError]:
    """Check that there is nothing that the tables of this kind would not show."""
    columns = yaml_file.at(("columns",))
    if isinstance(columns, list) and len(columns) > 1:
        what = f"a target of kind '{kind}' has one column, its primary one"
        yield yaml_file.error(("columns", 1), what, "remove the others")
    yield from _check_made(yaml_file, kind, kinds)
    for place, row in _rows(yaml_file):
        if "published" in row:
            what = f"a target of kind '{kind}' shows no published figures"
            yield yaml_file.error(("rows", place, "published"), what, "remove them")


def _check_one_dataset(yaml_file: YamlFile, kind: Any) -> Iterator[UserError]:
    columns = yaml_file.at(("columns",)) if kind in ON_ONE_DATASET else None
    columns = [of if isinstance(of, dict) else {} for of in columns] if isinstance(columns, list) else []
    named = [(place, of["dataset"]) for place, of in enumerate(columns) if isinstance(of.get("dataset"), str)]
    for place, dataset in named:
        if dataset != named[0][1]:
            what = f"'{dataset}' is a second dataset, beside '{named[0][1]}'"
            fix = f"a target of kind '{kind}' measures one; split it in two"
            yield yaml_file.error(("columns", place, "dataset"), what, fix)


def _check_made(
    yaml_file: YamlFile, kind: str, kinds: tuple[str, ...] = MADE_BY_TRAINING
) -> Iterator[UserError]:
    for place, row in _rows(yaml_file):
        if "kind" in row and row["kind"] not in kinds:
            what = f"a target of kind '{kind}' has rows made by training alone"
            yield yaml_file.error(("rows", place, "kind"), what, f"one of: {', '.join(kinds)}")


def _check_one_row(yaml_file: YamlFile) -> Iterator[UserError]:
    rows = yaml_file.at(("rows",))
    if isinstance(rows, list) and len(rows) > 1:
        what = f"a calibration compares one row with itself, here are {len(rows)}"
        yield yaml_file.error(("rows", 1), what, "keep one")


def _check_parameter(yaml_file: YamlFile) -> Iterator[UserError]:
    """Check that a sweep varies something that there is."""
    known = [NEGATIVES, *(of.alias or name for name, of in SamplerChoice.model_fields.items())]
    parameter = yaml_file.at(("parameter",))
    if isinstance(parameter, str) and parameter.partition(".")[0] not in known:
        what = f"'{parameter}' is no parameter"
        fix = f"`{NEGATIVES}`, or a path into the sampler such as `law.a`"
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
            yield yaml_file.error((*here, number, "at"), f"{value!r} stands twice", "keep one")
        whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
        if parameter == NEGATIVES and value is not None and not whole:
            yield yaml_file.error((*here, number, "at"), f"got {value!r}", "expected a whole number above 0")
    if parameter != NEGATIVES and row.get("sampler") is not None:
        yield from _check_free(yaml_file, here, parameter.split("."), by_name(row["sampler"]))


def _check_watched(yaml_file: YamlFile) -> Iterator[UserError]:
    """Check that a curve shows what is watched, and begins somewhere."""
    measure = yaml_file.at(("columns", 0, "measure"))
    if isinstance(measure, str) and measure != DEV_MEASURE:
        what = f"'{measure}' is not watched while a run trains"
        yield yaml_file.error(("columns", 0, "measure"), what, f"use {DEV_MEASURE}")
    references = [(place, row) for place, row in _rows(yaml_file) if row.get("kind") == "reference"]
    for place, row in references:
        if row.get("evaluates") == BM25 or (place, row) != references[0]:
            what = "the reference of a curve is the phase that all its rows continue, and stands once"
            yield yaml_file.error(("rows", place), what, "remove the row")
    if not references:
        fix = "add a row of `kind: reference` that `evaluates` the phase which the others continue"
        yield yaml_file.error(("rows",), "the curves begin nowhere", fix)


def _check_counted(yaml_file: YamlFile, library: Names) -> Iterator[UserError]:
    """Check that the rows that are counted, and no others, name a dataset."""
    for place, row in _rows(yaml_file):
        counted = row.get("kind") == "counted"
        if isinstance(row.get("dataset"), str):
            yield from _check_dataset(yaml_file, ("rows", place, "dataset"), library)
        if "kind" in row and counted != ("dataset" in row):
            what = f"row '{row.get('name')}' is of kind '{row['kind']}'"
            fix = "a counted row names a `dataset`, no other row does"
            yield yaml_file.error(("rows", place, "kind"), what, fix)
    if not any(row.get("kind") == "counted" for _, row in _rows(yaml_file)):
        yield yaml_file.error(("rows",), "no row is counted", "give one `kind: counted` and its `dataset`")


def _check_dataset(yaml_file: YamlFile, place: Location, library: Names) -> Iterator[UserError]:
    name, known = yaml_file.at(place), library.names("datasets")
    if name not in known:
        yield yaml_file.error(place, f"unknown dataset '{name}'", nearest(name, known))


def _check_focus(yaml_file: YamlFile) -> Iterator[UserError]:
    focus, names = yaml_file.at(("focus",)), [row.get("name") for _, row in _rows(yaml_file)]
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
        yield from _check_free(yaml_file, here, path.split("."), by_name(row.get("sampler")))
        if isinstance(values, list):
            yield from _check_differ(yaml_file, here, values)


def _check_free(yaml_file: YamlFile, here: Location, steps: list[str], sampler: Any) -> Iterator[UserError]:
    """Check that the sampler as written sets nothing at a path, and names nothing on the way to it."""
    inside = sampler
    for number, step in enumerate(steps):
        if not isinstance(inside, dict) or step not in inside:
            return
        inside = inside[step]
        if number < len(steps) - 1 and not isinstance(inside, dict):
            what = f"'{step}' is set to {inside!r} in `sampler`, with no place for '{steps[number + 1]}'"
            yield yaml_file.error(here, what, f"leave '{step}' out there, or write it with keys and values")
            return
    yield yaml_file.error(here, "the sampler sets it, too", "keep one of the two")


def _check_differ(yaml_file: YamlFile, here: Location, values: list[Any]) -> Iterator[UserError]:
    for place, value in enumerate(values):
        if value in values[:place]:
            yield yaml_file.error((*here, place), f"{value!r} stands twice", "keep one")


def _rows(yaml_file: YamlFile) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = yaml_file.at(("rows",))
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict):
            yield place, row
