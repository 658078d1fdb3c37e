"""Checks that several kinds of target make of their files; any content is taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.errors import UserError, nearest
from harness.specs.checks import MADE_BY_TRAINING, Names, placed_rows
from harness.specs.yaml_file import Location, YamlFile


def check_primary_alone(
    yaml_file: YamlFile, kinds: tuple[str, ...] = MADE_BY_TRAINING
) -> Iterator[UserError]:
    """Check that there is nothing that the tables of this kind would not show."""
    kind, columns = yaml_file.at(("kind",)), yaml_file.at(("columns",))
    if isinstance(columns, list) and len(columns) > 1:
        what = f"a target of kind '{kind}' has one column, its primary one"
        yield yaml_file.error(("columns", 1), what, "remove the others")
    yield from check_made(yaml_file, kinds)
    for place, row in placed_rows(yaml_file):
        if "published" in row:
            what = f"a target of kind '{kind}' shows no published figures"
            yield yaml_file.error(("rows", place, "published"), what, "remove them")


def check_one_dataset(yaml_file: YamlFile) -> Iterator[UserError]:
    """Check that all columns are of one dataset."""
    kind, columns = yaml_file.at(("kind",)), yaml_file.at(("columns",))
    columns = [of if isinstance(of, dict) else {} for of in columns] if isinstance(columns, list) else []
    named = [(place, of["dataset"]) for place, of in enumerate(columns) if isinstance(of.get("dataset"), str)]
    for place, dataset in named:
        if dataset != named[0][1]:
            what = f"'{dataset}' is a second dataset, beside '{named[0][1]}'"
            fix = f"a target of kind '{kind}' measures one; split it in two"
            yield yaml_file.error(("columns", place, "dataset"), what, fix)


def check_made(yaml_file: YamlFile, kinds: tuple[str, ...] = MADE_BY_TRAINING) -> Iterator[UserError]:
    """Check that all rows are of some kinds, those made by training by default."""
    kind = yaml_file.at(("kind",))
    for place, row in placed_rows(yaml_file):
        if "kind" in row and row["kind"] not in kinds:
            what = f"a target of kind '{kind}' has rows made by training alone"
            yield yaml_file.error(("rows", place, "kind"), what, f"one of: {', '.join(kinds)}")


def check_dataset(yaml_file: YamlFile, place: Location, library: Names) -> Iterator[UserError]:
    """Check that there is a dataset of the name at a place."""
    name, known = yaml_file.at(place), library.names("datasets")
    if name not in known:
        yield yaml_file.error(place, f"unknown dataset '{name}'", nearest(name, known))


def check_free(yaml_file: YamlFile, here: Location, steps: list[str], sampler: Any) -> Iterator[UserError]:
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
