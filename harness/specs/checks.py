"""What no single value shows: whether the parts of a target fit together, and whether what they name exists.

The checks read a file piece by piece, so that one wrong piece hides nothing that is wrong with the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from harness.errors import UserError, nearest
from harness.evaluation.measures import check_measure
from harness.specs.base import Spec
from harness.specs.sampler_checks import check_sampler
from harness.specs.samplers import SamplerChoice
from harness.specs.target import Column, Line, Row, Shared
from harness.specs.yaml_file import Location, YamlFile

Piece = TypeVar("Piece", bound=Spec)
MADE_BY_TRAINING = ("trained", "control")
BESIDE = ("costs", "quoted")
"""Columns beside those that are measured."""
WITHOUT_RUNS = ("published", "unavailable")


class Names(Protocol):
    """Knows which recipes, datasets and scales there are."""

    def names(self, kind: str) -> list[str]:
        """Return the names of all recipes, datasets or scales."""
        ...


def placed_rows(yaml_file: YamlFile) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a target that have keys at all, with their positions."""
    rows = yaml_file.at(("rows",))
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict):
            yield place, row


def check_target(yaml_file: YamlFile, library: Names) -> list[UserError]:
    """Return all that is wrong with a target beyond the types of its values."""
    columns = list(_pieces(yaml_file, "columns", Column))
    rows = list(_pieces(yaml_file, "rows", Row))
    shared = _tolerant(Shared, yaml_file.at(("shared",)))
    return [
        *_check_columns(yaml_file, columns, library),
        *_check_texts(yaml_file, library, columns, rows),
        *_check_recipe(yaml_file, ("shared", "recipe"), shared.recipe if shared else None, library),
        *_check_recipe(
            yaml_file, ("shared", "published_recipe"), shared.published_recipe if shared else None, library
        ),
        *_check_labels(yaml_file, columns),
        *(
            error
            for key in BESIDE
            for error in _repeated(yaml_file, key, "label", list(_texts(yaml_file, key, "label")))
        ),
        *_repeated(yaml_file, "rows", "name", list(_texts(yaml_file, "rows", "name"))),
        *_check_pairs(yaml_file),
        *_check_no_readings(yaml_file),
        *(
            error
            for place, line in _pieces(yaml_file, "rows", Line)
            for error in _check_figures(yaml_file, ("rows", place), line)
        ),
        *(
            error
            for place, row in rows
            for error in _check_row(yaml_file, ("rows", place), row, library)
        ),
    ]  # fmt: skip


def _unknown(
    yaml_file: YamlFile, place: Location, what: str, name: str, known: Sequence[str] | Any
) -> UserError:
    """Return the error for a name that leads nowhere."""
    return yaml_file.error(place, f"unknown {what} '{name}'", nearest(name, known) or f"there is no {what}")


def _check_columns(
    yaml_file: YamlFile, columns: list[tuple[int, Column]], library: Names
) -> Iterator[UserError]:
    for place, column in columns:
        if column.dataset not in library.names("datasets"):
            here = ("columns", place, "dataset")
            yield _unknown(yaml_file, here, "dataset", column.dataset, library.names("datasets"))
        try:
            check_measure(column.measure)
        except UserError as error:
            yield yaml_file.error(("columns", place, "measure"), error.what, error.fix)


def _check_labels(yaml_file: YamlFile, columns: list[tuple[int, Column]]) -> Iterator[UserError]:
    """Check that the columns of a dataset differ in what is printed above them."""
    on = {place: column.dataset for place, column in columns}
    for dataset in dict.fromkeys([None, *on.values()]):
        labels = [(at, label) for at, label in _texts(yaml_file, "columns", "label") if on.get(at) == dataset]
        yield from _repeated(yaml_file, "columns", "label", labels)


def _check_texts(
    yaml_file: YamlFile, library: Names, columns: list[tuple[int, Column]], rows: list[tuple[int, Row]]
) -> Iterator[UserError]:
    """Check the names at the top of a target, where they are texts at all."""
    made = [row.name for _, row in rows if row.kind in MADE_BY_TRAINING]
    several = len({column.dataset for _, column in columns}) > 1  # then by titles: `fitting` has them
    for key, what, known in (
        ("primary", "column", [] if several else [column.label for _, column in columns]),
        ("baseline", "row made by training", made),
    ):
        name = yaml_file.at((key,))
        if isinstance(name, str) and known and name not in known:
            yield _unknown(yaml_file, (key,), what, name, known)
    for key in ("scales", "notes"):
        names = yaml_file.at((key,))
        for place, name in enumerate(names if isinstance(names, list) else []):
            if isinstance(name, str) and name in names[:place]:
                yield yaml_file.error((key, place), f"'{name}' is given twice", "keep one")
    scales = yaml_file.at(("scales",))
    for place, name in enumerate(scales if isinstance(scales, list) else []):
        if isinstance(name, str) and name not in library.names("scales"):
            yield _unknown(yaml_file, ("scales", place), "scale", name, library.names("scales"))


def _check_pairs(yaml_file: YamlFile) -> Iterator[UserError]:
    """Check that each pair is of two rows with runs, and stands in the table once."""
    pairs, kinds = yaml_file.at(("compare",)), _kinds(yaml_file)
    baseline, seen = yaml_file.at(("baseline",)), list[set[str]]()
    for place, names in enumerate(pairs if isinstance(pairs, list) else []):
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            continue  # reported by its model
        here: Location = ("compare", place)
        unknown = [number for number, name in enumerate(names) if name not in kinds]
        for number in unknown:
            yield _unknown(yaml_file, (*here, number), "row", names[number], list(kinds))
        for number, name in enumerate(names):
            if kinds.get(name) in WITHOUT_RUNS:
                what = f"row '{name}' of kind '{kinds[name]}' has no runs to be compared"
                yield yaml_file.error((*here, number), what, "name a row that is made here")
        anyway = [name for name in names if name != baseline and kinds.get(name) in MADE_BY_TRAINING]
        if len(names) == 2 and len(set(names)) == 1:
            yield yaml_file.error(here, f"row '{names[0]}' is compared with itself", "name two rows")
        elif set(names) in seen:
            yield yaml_file.error(here, f"'{names[0]}' and '{names[1]}' are compared twice", "keep one")
        elif baseline in names and anyway:
            what = f"row '{anyway[0]}' is compared with the baseline anyway"
            yield yaml_file.error(here, what, "remove it")
        seen.append(set(names))


def _kinds(yaml_file: YamlFile) -> dict[str, Any]:
    """Return the name of each row that has one -> its kind."""
    rows = placed_rows(yaml_file)
    return {row["name"]: row.get("kind") for _, row in rows if isinstance(row.get("name"), str)}


def _check_no_readings(yaml_file: YamlFile) -> Iterator[UserError]:
    """Check that rows have readings only in targets of that kind."""
    kind = yaml_file.at(("kind",))
    for place, row in placed_rows(yaml_file) if kind != "readings" else ():
        if "readings" in row:
            what = f"a target of kind '{kind}' has no readings"
            yield yaml_file.error(("rows", place, "readings"), what, "remove them, or set kind: readings")


def _check_recipe(
    yaml_file: YamlFile, place: Location, name: str | None, library: Names
) -> Iterator[UserError]:
    if name is not None and name not in library.names("recipes"):
        yield _unknown(yaml_file, place, "recipe", name, library.names("recipes"))


def _check_row(yaml_file: YamlFile, place: Location, row: Row, library: Names) -> Iterator[UserError]:
    yield from _check_recipe(yaml_file, (*place, "recipe"), row.recipe, library)
    yield from _check_published_sampler(yaml_file, (*place, "published_sampler"), row)
    if row.phase is not None:
        yield from _check_recipe(yaml_file, (*place, "evaluates"), row.phase.partition("/")[0], library)
    if (row.kind == "reference") != (yaml_file.at((*place, "evaluates")) is not None):
        fix = "a reference row `evaluates` bm25 or a phase, <recipe>/<phase>; no other row does"
        yield yaml_file.error((*place, "kind"), f"row '{row.name}' is of kind '{row.kind}'", fix)
    if row.kind not in MADE_BY_TRAINING and row.sampler is not None:
        what = f"row '{row.name}' of kind '{row.kind}' is not trained and has no sampler"
        yield yaml_file.error((*place, "sampler"), what, "remove it, or change the kind")
    yield from _check_checkpoint(yaml_file, place, row)
    choice = row.sampler or _readable_sampler(yaml_file.at((*place, "sampler")))
    if choice is not None:
        yield from check_sampler(yaml_file, (*place, "sampler"), choice)


def _check_published_sampler(yaml_file: YamlFile, place: Location, row: Row) -> Iterator[UserError]:
    """Check the samplers that a row has at a scale that trains as published."""
    if row.published_sampler and row.sampler is None:
        what = f"row '{row.name}' of kind '{row.kind}' has no sampler"
        yield yaml_file.error(place, what, "remove it, or give the row a `sampler`")
    if row.published_sampler and row.readings:
        what = "the readings of a row are of one sampler"
        yield yaml_file.error(place, what, "leave it out, or the readings")
    for dataset, choice in row.published_sampler.items():
        yield from check_sampler(yaml_file, (*place, dataset), choice)


def _check_checkpoint(yaml_file: YamlFile, place: Location, row: Row) -> Iterator[UserError]:
    """Check that a row names a checkpoint where that is what it evaluates, and nowhere else."""
    evaluated = row.kind == "evaluated"
    if evaluated != (yaml_file.at((*place, "checkpoint")) is not None):
        fix = "an evaluated row names a `checkpoint`, a folder or hub id, no other row does"
        yield yaml_file.error((*place, "kind"), f"row '{row.name}' is of kind '{row.kind}'", fix)
    columns = yaml_file.at(("columns",))
    known = (
        {str(of.get("dataset")) for of in columns if isinstance(of, dict)}
        if isinstance(columns, list)
        else set()
    )
    for dataset in row.checkpoint if isinstance(row.checkpoint, dict) else ():
        if dataset not in known:
            fix = nearest(dataset, filter(None, known))
            what = f"the target has no column on dataset '{dataset}'"
            yield yaml_file.error((*place, "checkpoint", dataset), what, fix)
    for key, value in (("pooling", row.pooling), ("recipe", row.recipe)):
        if value is not None and evaluated == (key == "recipe"):
            what = f"row '{row.name}' of kind '{row.kind}' has no {key} of its own"
            yield yaml_file.error((*place, key), what, "remove it")


def _check_figures(yaml_file: YamlFile, place: Location, line: Line) -> Iterator[UserError]:
    kinds = [yaml_file.at(("columns",)), *(yaml_file.at((key,)) or [] for key in BESIDE)]
    count = sum(map(len, kinds)) if all(isinstance(of, list) for of in kinds) else None
    if line.published is not None and count is not None and len(line.published) != count:
        what = f"{len(line.published)} published figures for {count} columns"
        yield yaml_file.error((*place, "published"), what, "give one a column, null where there is none")
    quoted = line.published is not None or yaml_file.at((*place, "values")) is not None
    if line.kind == "published" and not quoted:
        yield yaml_file.error(place, f"row '{line.name}' quotes no figures", "add `published`")


def _readable_sampler(sampler: Any) -> SamplerChoice | None:
    """Return what can be read of a sampler of which something is wrong."""
    if not isinstance(sampler, dict):
        return None
    parameters = sampler.get("law")
    parameters = parameters if isinstance(parameters, dict) else {}
    scalars = {key: value for key, value in parameters.items() if isinstance(value, bool | int | float | str)}
    return _tolerant(SamplerChoice, {**sampler, "law": scalars})


def _texts(yaml_file: YamlFile, group: str, key: str) -> Iterator[tuple[int, str]]:
    """Yield the texts that the items of a list have under a key, with their positions."""
    items = yaml_file.at((group,))
    for place, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict) and isinstance(item.get(key), str):
            yield place, item[key]


def _repeated(yaml_file: YamlFile, group: str, key: str, names: list[tuple[int, str]]) -> Iterator[UserError]:
    seen: set[str] = set()
    for place, name in names:
        if name in seen:
            yield yaml_file.error((group, place, key), f"'{name}' is given twice", "give each its own name")
        seen.add(name)


def _pieces(yaml_file: YamlFile, key: str, model: type[Piece]) -> Iterator[tuple[int, Piece]]:
    """Yield the items of a list that can be read, with their positions."""
    items = yaml_file.at((key,))
    for place, item in enumerate(items if isinstance(items, list) else []):
        piece = _tolerant(model, item)
        if piece is not None:
            yield place, piece


def _tolerant(model: type[Piece], value: Any) -> Piece | None:
    """Return the model of a value, without the keys that are wrong where it can do without them."""
    if not isinstance(value, dict):
        return None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        wrong = {detail["loc"][0] for detail in error.errors() if detail["loc"]}
    try:
        return model.model_validate({key: part for key, part in value.items() if key not in wrong})
    except ValidationError:
        return None
