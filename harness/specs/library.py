"""The library of specs: finds targets, recipes, datasets and scales by name; checks how they fit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from harness.errors import SpecErrors, UserError, nearest
from harness.specs.checks import check_target
from harness.specs.dataset import Dataset
from harness.specs.expansion import expand
from harness.specs.extension import EXTENDS, extend
from harness.specs.fitting import check_fit
from harness.specs.instead import Instead
from harness.specs.kinds.confirmation import Confirmation
from harness.specs.kinds.registry import KINDS
from harness.specs.loaded import LoadedTarget
from harness.specs.loading import in_order, parse, try_parse
from harness.specs.old_forms import old_recipe, old_rows, old_scale
from harness.specs.paper import Drawing, Paper
from harness.specs.read_as import NamedReading, changes_anything, read_as
from harness.specs.reading import AT, PAPER, Reading, named
from harness.specs.reading_checks import check_read, check_reading
from harness.specs.recipe import Recipe, phases_of
from harness.specs.recipe_checks import check_pieces, check_starts
from harness.specs.scale import Scale
from harness.specs.scale_checks import (
    check_checkpoints,
    check_late_interaction,
    check_on_datasets,
    check_substitutes,
)
from harness.specs.target import Line, Target, Trained, with_runs
from harness.specs.yaml_file import YamlFile, read_yaml
from harness.storage.places import folder_from, shipped, written_path

Read = TypeVar("Read")

PAPERS = "papers"
"""Folder of the papers, a folder each."""

EXPERIMENTS = "HARNESS_EXPERIMENTS"
"""Environment variable that names the folder of specs."""

SHARED = ("recipes", "datasets", "scales", "readings")
"""Folders of what targets share; a file there may have any name."""


def _holds_specs(folder: Path) -> bool:
    """Whether a folder is one of specs: any project may have one that is called experiments."""
    return any(folder.glob(f"{PAPERS}/*/paper.yaml")) or any(folder.glob("*/paper.yaml"))


@lru_cache(maxsize=512)
def _recipe(yaml_file: YamlFile) -> Recipe:
    """Return a recipe, sound by itself; cached, because every scale asks all recipes for their phases."""
    old = old_recipe(yaml_file)
    if old is not None:
        raise SpecErrors([old])
    recipe, errors = try_parse(yaml_file, Recipe, "recipe")
    errors += check_pieces(yaml_file, recipe)
    if recipe is None or errors:
        raise SpecErrors(in_order(errors))
    return recipe


class Library:
    """All specs below a folder, and what a command gives in the place of what they name."""

    def __init__(self, root: Path, instead: Instead | None = None) -> None:
        if not root.is_dir():
            raise UserError(
                "no such folder of specs",
                where=str(root),
                fix="run in the checkout, or set HARNESS_EXPERIMENTS",
            )
        folders = (folder for folder in sorted(root.iterdir()) if folder.name not in SHARED)
        outside = [folder / "paper.yaml" for folder in folders if (folder / "paper.yaml").exists()]
        if outside:
            what = f"the targets of a paper stand below {PAPERS}/"
            raise UserError(what, where=str(outside[0]), fix=f"move its folder to {root / PAPERS}")
        self.root = root
        self.instead = instead or Instead()
        self._scales: dict[YamlFile, Scale] = {}

    @staticmethod
    def default(instead: Instead | None = None) -> Library:
        """Return the specs of HARNESS_EXPERIMENTS, of the working folder, or those that are shipped.

        Args:
            instead: what a command gives in the place of what they name.

        Raises:
            UserError: HARNESS_EXPERIMENTS names no folder of specs.
        """
        if os.environ.get(EXPERIMENTS):
            named = Library(folder_from(EXPERIMENTS, ""), instead)
            if not _holds_specs(named.root):
                fix = f"name a folder with {PAPERS}/<paper>/paper.yaml, or unset {EXPERIMENTS}"
                raise UserError("this folder holds no paper", where=str(named.root), fix=fix)
            return named
        here = Path("experiments")
        return Library(here if _holds_specs(here) else shipped("experiments"), instead)

    def targets(self) -> list[str]:
        """Return the names of all targets."""
        papers = sorted(file.parent.name for file in (self.root / PAPERS).glob("*/paper.yaml"))
        named = ((paper, name) for paper in papers for name in self.names(f"{PAPERS}/{paper}"))
        return [f"{paper}/{name}" for paper, name in named if name != "paper"]

    def papers(self) -> dict[str, Paper]:
        """Return all papers that can be read, by name."""
        papers: dict[str, Paper] = {}
        for file in sorted((self.root / PAPERS).glob("*/paper.yaml")):
            with suppress(UserError):
                papers[file.parent.name] = parse(read_yaml(file, self.root), Paper, "paper")
        return papers

    def drawings(self) -> dict[str, Drawing]:
        """Return the figures that nothing can reproduce, by name, of all papers that can be read."""
        return {f"{name}/{of.name}": of for name, paper in self.papers().items() for of in paper.drawings}

    def target_yaml(self, name: str, below: tuple[str, ...] = ()) -> YamlFile:
        """Read the file of a target, with all that it takes over from those that it extends.

        Args:
            name: for example ``trisampler/table-5``, or the path of what a tuning wrote.
            below: targets that extend it, the first one first.

        Raises:
            UserError: a file cannot be read, extends no target or, by way of others, itself.
        """
        by_path = name.endswith(".yaml")
        path, root = (written_path(name, "target"), None) if by_path else (self._target_file(name), self.root)
        yaml_file = read_yaml(path, root)
        if EXTENDS not in yaml_file.data:
            return yaml_file
        base, chain = yaml_file.data[EXTENDS], (*below, name)
        if base not in self.targets():
            raise yaml_file.error((EXTENDS,), f"unknown target '{base}'", nearest(str(base), self.targets()))
        if base in chain:
            around = " -> ".join([*chain[chain.index(base) :], base])
            raise yaml_file.error((EXTENDS,), f"the target extends itself: {around}", "end it somewhere")
        return extend(yaml_file, self.target_yaml(base, chain))

    def _target_file(self, name: str) -> Path:
        return self.root / PAPERS / f"{name}.yaml"

    def names(self, kind: str) -> list[str]:
        """Return the names of the files in a folder of specs: of all recipes, datasets or scales."""
        folder = self.root / kind
        if not folder.is_dir():
            return []
        with os.scandir(folder) as files:  # a glob takes ten times as long, and this is asked often
            return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))

    def recipe(self, name: str) -> Recipe:
        """Read a recipe; what it starts from is looked at by `recipes`.

        Raises:
            SpecErrors: all that is wrong in the file.
        """
        return _recipe(self._source("recipes", name))

    def recipes(self, names: Iterable[str]) -> dict[str, Recipe]:
        """Read recipes, and all those that their phases start from.

        Raises:
            SpecErrors: all that is wrong in the files.
        """
        recipes: dict[str, Recipe] = {}
        errors: list[UserError] = []
        waiting, seen, known = sorted(set(names)), set[str](), set(self.names("recipes"))
        while waiting:
            name = waiting.pop(0)
            seen.add(name)
            try:
                recipes[name] = self.recipe(name)
            except SpecErrors as error:
                errors.extend(error.errors)
                continue
            below = {start.partition("/")[0] for phase in recipes[name].phases for start in phase.starts}
            waiting = sorted({*waiting, *(below & known)} - seen)
        for name, recipe in sorted(recipes.items()) if not errors else ():
            errors += check_starts(self._source("recipes", name), name, recipe, recipes)
        if errors:
            raise SpecErrors(list(dict.fromkeys(errors)))
        return recipes

    def dataset(self, name: str) -> Dataset:
        """Read a dataset."""
        return parse(self.dataset_yaml(name), Dataset, "dataset")

    def scale_yaml(self, name: str) -> YamlFile:
        """Read the file of a scale."""
        return self._source("scales", name)

    def dataset_yaml(self, name: str) -> YamlFile:
        """Read the file of a dataset."""
        return self._source("datasets", name)

    def scale(self, name: str) -> Scale:
        """Read a scale; one that was sound is not looked at again while its text is the same.

        Raises:
            SpecErrors: all that is wrong in the file.
        """
        yaml_file = self.scale_yaml(name)
        if yaml_file not in self._scales:
            self._scales[yaml_file] = self._sound_scale(yaml_file)
        return self._scales[yaml_file]

    def _sound_scale(self, yaml_file: YamlFile) -> Scale:
        old = old_scale(yaml_file)
        if old is not None:
            raise SpecErrors([old])
        scale = parse(yaml_file, Scale, "scale")
        errors = [*check_substitutes(yaml_file, scale, self.phase_names, self.names("datasets"))]
        errors += check_on_datasets(yaml_file, scale, self.names("datasets"))
        errors += check_checkpoints(yaml_file, scale)
        every = (scale, *map(scale.on, scale.datasets))
        errors += next(filter(None, (list(check_late_interaction(yaml_file, on)) for on in every)), [])
        if errors:
            raise SpecErrors(in_order(errors))
        return scale

    def phase_names(self) -> list[str]:
        """Return the names of the phases of all recipes that can be read, ``<recipe>/<phase>``."""
        names: list[str] = []
        for name in self.names("recipes"):
            with suppress(UserError):
                names += phases_of({name: _recipe(self._read("recipes", name))})
        return names

    def target(self, name: str) -> LoadedTarget:
        """Read a target with all that it names, and check that it fits together.

        Args:
            name: for example ``trisampler/table-5``, with a reading ``simans/table-2@released``, or the path
                of a confirmation.

        Raises:
            UserError: there is no such target or reading, or the reading changes nothing of the target.
            SpecErrors: all that is wrong in a file.
        """
        path = name if name.endswith(".yaml") else None
        if path is None and AT in name:
            base, reading = named(name)
            return self.target(base) if reading == PAPER else self._read_target(base, reading)
        if path is None and name not in self.targets():
            drawing = self.drawings().get(name)
            if drawing is not None:
                what = f"{name} cannot be reproduced: {drawing.reason}"
                raise UserError(what, fix="`harness list` names what can")
            raise UserError(f"unknown target '{name}'", fix=nearest(name, self.targets()))
        yaml_file = self.target_yaml(name)
        written, paper = self._written(yaml_file), name
        if path or isinstance(written, Confirmation):
            confirmation = self._confirmation(yaml_file, written, path)
            name, paper = confirmation.name, confirmation.target
        yaml_file, target = expand(yaml_file, written, self)
        loaded = self._with_named(name, paper, target, written.rows)
        errors = list(check_fit(yaml_file, loaded, {scale: self.scale(scale) for scale in target.scales}))
        if errors:
            raise SpecErrors(in_order(errors))
        return replace(loaded, path=path)

    def reading(self, name: str) -> NamedReading:
        """Read a reading with the recipes that it names.

        Raises:
            SpecErrors: all that is wrong in the files.
        """
        yaml_file = self._source("readings", name)
        reading = parse(yaml_file, Reading, "reading")
        errors = list(check_reading(yaml_file, reading, self, list(self.papers())))
        if errors:
            raise SpecErrors(in_order(errors))
        return NamedReading(name, reading, self.recipes(reading.all_recipes))

    def readings_of(self, target: str) -> list[str]:
        """Return the names of the readings that change a target; of a broken one there are none."""
        with suppress(UserError):
            loaded = self.target(target)
            scales = [self.scale(scale) for scale in loaded.target.scales]
            read = {name: self.reading(name) for name in self.names("readings")}
            return [name for name, reading in read.items() if changes_anything(loaded, reading, scales)]
        return []

    def reads(self, name: str, scale: str) -> bool:
        """Whether a target is another at a scale by its reading; one that is named in none is itself.

        Args:
            name: of the target, ``<target>@<reading>``.
            scale: name of the scale.
        """
        target, of = named(name)
        if of in {None, PAPER} or name.endswith(".yaml"):
            return True
        return changes_anything(self.target(target), self.reading(of), [self.scale(scale)])

    def in_all_readings(self) -> Iterator[str]:
        """Yield the names of all targets, each followed by its readings."""
        for name in self.targets():
            yield name
            yield from (f"{name}{AT}{reading}" for reading in self.readings_of(name))

    def _read_target(self, name: str, of: str | None) -> LoadedTarget:
        """Return a target in a reading, and check that it fits together there."""
        if of is None:
            what, fix = "no reading is named", f"write {name}, or {name}{AT}READING"
            raise UserError(what, where=f"{name}{AT}", fix=fix)
        reading, written = self.reading(of), self.target(name)
        scales = {scale: self.scale(scale) for scale in written.target.scales}
        if not changes_anything(written, reading, scales.values()):
            known = "".join(f", or {name}{AT}{reading}" for reading in self.readings_of(name))
            raise UserError(f"reading '{of}' changes nothing of {name}", fix=f"name {name} alone{known}")
        errors = list(check_read(self._source("readings", of), reading.spec, written.trained))
        if errors:
            raise SpecErrors(in_order(errors))
        loaded, yaml_file = read_as(written, reading), self.target_yaml(name)
        yaml_file, _ = expand(yaml_file, self._written(yaml_file), self)
        errors = list(check_fit(yaml_file, loaded, scales))
        if errors:
            raise SpecErrors(in_order(errors))
        return loaded

    def _confirmation(self, yaml_file: YamlFile, written: Target, path: str | None) -> Confirmation:
        """Return what a tuning wrote, which is named by its path; all others stand below their papers."""
        if not isinstance(written, Confirmation):
            what = f"a target of kind '{written.kind}' is not read by its path"
            raise yaml_file.error(("kind",), what, f"move it to {self.root.name}/{PAPERS}/<paper>/")
        if path is None:
            fix = "move it beside the tuning's results, and name its path"
            raise yaml_file.error(("kind",), "what a tuning wrote is no target of a paper", fix)
        if written.target not in self.targets():
            what = f"unknown target '{written.target}'"
            raise yaml_file.error(("target",), what, nearest(written.target, self.targets()))
        return written

    def _written(self, yaml_file: YamlFile) -> Target:
        """Return a target as its file has it, sound by itself."""
        name = yaml_file.at(("kind",))
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is not None:
            target, errors = try_parse(yaml_file, kind.model, "row")
        else:
            what = "'kind' is missing" if name is None else f"'{name}' is not valid"
            target, errors = None, [yaml_file.error(("kind",), what, nearest(str(name), KINDS))]
        old = list(old_rows(yaml_file))
        errors += old or [*check_target(yaml_file, self), *(kind.check(yaml_file, self) if kind else ())]
        if target is None or errors:
            raise SpecErrors(in_order(errors))
        return target

    def _with_named(self, name: str, paper_of: str, target: Target, written: Sequence[Line]) -> LoadedTarget:
        """Read what a target names; errors of several files come together."""
        errors: list[UserError] = []

        def gather(read: Callable[[], Read]) -> Read | None:
            try:
                return read()
            except SpecErrors as error:
                errors.extend(error.errors)
            except UserError as error:
                errors.append(error)
            return None

        file = self.root / PAPERS / paper_of.split("/", maxsplit=1)[0] / "paper.yaml"
        paper = gather(lambda: parse(read_yaml(file, self.root), Paper, "paper"))
        shared = target.shared if isinstance(target, Trained) else None
        named = {of for of in (shared.recipe, shared.published_recipe) if of} if shared else set()
        named |= {row.recipe for row in with_runs(target.rows) if row.recipe}
        named |= {row.phase.partition("/")[0] for row in with_runs(target.rows) if row.phase}
        recipes = gather(lambda: self.recipes(named)) or {}
        datasets = {
            key: gather(lambda key=key: self.dataset(key))  # type: ignore[misc]
            for key in sorted(target.datasets)
        }
        if paper is None or errors:
            raise SpecErrors(list(dict.fromkeys(errors)))
        return LoadedTarget(
            name,
            target,
            written,
            paper,
            recipes,
            {key: dataset for key, dataset in datasets.items() if dataset},
        )

    def _source(self, kind: str, name: str) -> YamlFile:
        if name not in self.names(kind):
            raise UserError(f"unknown {kind.removesuffix('s')} '{name}'", fix=nearest(name, self.names(kind)))
        return self._read(kind, name)

    def _read(self, kind: str, name: str) -> YamlFile:
        return read_yaml(self.root / kind / f"{name}.yaml", self.root)
