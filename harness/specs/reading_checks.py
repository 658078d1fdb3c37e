"""What is wrong with a reading beyond the types of its values: what it names must exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.errors import UserError, nearest
from harness.negatives.presets import presets
from harness.specs.checks import Names
from harness.specs.reading import Reading
from harness.specs.sampler_checks import check_sampler
from harness.specs.target import Trained, with_runs
from harness.specs.yaml_file import Location, YamlFile


def check_reading(
    yaml_file: YamlFile, reading: Reading, library: Names, papers: Sequence[str]
) -> Iterator[UserError]:
    """Yield what is wrong with a reading.

    Args:
        yaml_file: the spec file.
        reading: what it says.
        library: knows the names of recipes and datasets.
        papers: names of all papers.
    """
    datasets, recipes = library.names("datasets"), library.names("recipes")
    for paper, of in reading.papers.items():
        here: Location = ("papers", paper)
        yield from _unknown(yaml_file, here, "paper", [paper], papers)
        for name in of.candidates:
            yield from _unknown(yaml_file, (*here, "candidates", name), "dataset", [name], datasets)
        yield from _check_recipes(yaml_file, (*here, "published_recipes"), of.published_recipes, recipes)
    yield from _check_recipes(yaml_file, ("recipes",), reading.recipes, recipes)
    for preset, choices in reading.samplers.items():
        yield from _unknown(yaml_file, ("samplers", preset), "sampler", [preset], list(presets()))
        for name, choice in choices.items():
            place: Location = ("samplers", preset, name)
            yield from _unknown(yaml_file, place, "dataset", [name], datasets)
            yield from check_sampler(yaml_file, place, choice)


def check_read(yaml_file: YamlFile, reading: Reading, target: Trained) -> Iterator[UserError]:
    """Yield samplers of a reading that the rows of a target cannot have.

    Args:
        yaml_file: the reading's file, whose places the errors name.
        reading: sound by itself.
        target: with runs.
    """
    for row in with_runs(target.rows):
        for name in target.datasets:
            for choice in filter(None, (row.sampler, row.published_sampler.get(name))):
                read = reading.sampler(choice, name)
                place: Location = ("samplers", choice.preset, name)
                if read is not None and read != choice:
                    yield from check_sampler(yaml_file, place, read)
                    if choice.draws and not read.draws:
                        what = f"'{read.preset}' draws nothing, and row '{row.name}' trains on what is drawn"
                        yield yaml_file.error(place, what, "choose a sampler with a source")


def _check_recipes(
    yaml_file: YamlFile, place: Location, recipes: Mapping[str, str], known: Sequence[str]
) -> Iterator[UserError]:
    for name, other in recipes.items():
        yield from _unknown(yaml_file, (*place, name), "recipe", [name, other], known)


def _unknown(
    yaml_file: YamlFile, place: Location, what: str, names: Sequence[str], known: Sequence[str]
) -> Iterator[UserError]:
    for name in names:
        if name not in known:
            yield yaml_file.error(place, f"unknown {what} '{name}'", nearest(name, known))
