"""The library of specs: finds targets, recipes, datasets and scales by name; checks how they fit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SpecErrors, UserError, nearest
from harness.evaluation.measures import parse_measure
from harness.negatives.draws import DRAWS
from harness.negatives.registry import MASKS, make_law, presets
from harness.specs.loading import Source, parse, read_source
from harness.specs.models import Dataset, Paper, Recipe, Row, Scale, Target

KINDS = ("recipes", "datasets", "scales")


@dataclass(frozen=True)
class LoadedTarget:
    """A target with everything that it names.

    Attributes:
        name: for example ``trisampler/table-5``.
        target: the spec.
        paper: its paper.
        recipes: by name, with those they start from.
        datasets: by name.
    """

    name: str
    target: Target
    paper: Paper
    recipes: dict[str, Recipe]
    datasets: dict[str, Dataset]

    def row(self, name: str) -> Row:
        """Return a row by name.

        Raises:
            UserError: no such row.
        """
        rows = {row.name: row for row in self.target.rows}
        if name not in rows:
            raise UserError(f"{self.name} has no row '{name}'", fix=nearest(name, rows))
        return rows[name]


class Library:
    """All specs below a folder."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise UserError(
                "no such folder of specs",
                where=str(root),
                fix="run in the checkout, or set HARNESS_EXPERIMENTS",
            )
        self.root = root

    @staticmethod
    def default() -> Library:
        """Return the specs of HARNESS_EXPERIMENTS, of the working folder, or of the checkout."""
        given = os.environ.get("HARNESS_EXPERIMENTS")
        checkout = Path(__file__).resolve().parents[2] / "experiments"
        here = Path("experiments")
        return Library(Path(given) if given else here if here.is_dir() else checkout)

    def targets(self) -> list[str]:
        """Return the names of all targets."""
        papers = [p for p in sorted(self.root.iterdir()) if (p / "paper.yaml").exists()]
        return [
            f"{paper.name}/{path.stem}"
            for paper in papers
            for path in sorted(paper.glob("*.yaml"))
            if path.name != "paper.yaml"
        ]

    def names(self, kind: str) -> list[str]:
        """Return the names of all recipes, datasets or scales."""
        return sorted(path.stem for path in (self.root / kind).glob("*.yaml"))

    def recipe(self, name: str) -> Recipe:
        """Read a recipe."""
        return parse(self._source("recipes", name), Recipe, "recipe")

    def dataset(self, name: str) -> Dataset:
        """Read a dataset."""
        return parse(self._source("datasets", name), Dataset, "dataset")

    def scale(self, name: str) -> Scale:
        """Read a scale."""
        return parse(self._source("scales", name), Scale, "scale")

    def target(self, name: str) -> LoadedTarget:
        """Read a target with all that it names, and check that it fits together.

        Raises:
            UserError: there is no such target.
            SpecErrors: all that is wrong in a file.
        """
        if name not in self.targets():
            raise UserError(f"unknown target '{name}'", fix=nearest(name, self.targets()))
        source = read_source(self.root / f"{name}.yaml", self.root)
        target = parse(source, Target, "row")
        errors = [*_check_names(source, target, self), *_check_rows(source, target)]
        if errors:
            raise SpecErrors(errors)
        paper_file = read_source(self.root / name.split("/", maxsplit=1)[0] / "paper.yaml", self.root)
        paper = parse(paper_file, Paper, "paper")
        errors = _check_notes(source, target, paper)
        if errors:
            raise SpecErrors(errors)
        named = {row.recipe for row in target.rows if row.recipe} | {target.shared.recipe}
        recipes = {recipe: self.recipe(recipe) for recipe in sorted(named)}
        starts = {recipe.start for recipe in recipes.values() if recipe.start}
        datasets = {d: self.dataset(d) for d in sorted({column.dataset for column in target.columns})}
        return LoadedTarget(name, target, paper, recipes | {s: self.recipe(s) for s in starts}, datasets)

    def _source(self, kind: str, name: str) -> Source:
        if name not in self.names(kind):
            raise UserError(f"unknown {kind.removesuffix('s')} '{name}'", fix=nearest(name, self.names(kind)))
        return read_source(self.root / kind / f"{name}.yaml", self.root)


def _check_names(source: Source, target: Target, library: Library) -> list[UserError]:
    """Check names that lead to other files, to rows and to columns."""
    errors = []

    def check(location: tuple[int | str, ...], what: str, name: str, known: list[str]) -> None:
        if name not in known:
            errors.append(source.error(location, f"unknown {what} '{name}'", nearest(name, known)))

    for place, column in enumerate(target.columns):
        check(("columns", place, "dataset"), "dataset", column.dataset, library.names("datasets"))
        try:
            parse_measure(column.measure)
        except UserError as error:
            errors.append(source.error(("columns", place, "measure"), error.what, error.fix))
    for place, scale in enumerate(target.scales):
        check(("scales", place), "scale", scale, library.names("scales"))
    check(("shared", "recipe"), "recipe", target.shared.recipe, library.names("recipes"))
    check(("primary",), "column", target.primary, [column.label for column in target.columns])
    check(("baseline",), "row", target.baseline, [row.name for row in target.rows])
    for place, row in enumerate(target.rows):
        if row.recipe:
            check(("rows", place, "recipe"), "recipe", row.recipe, library.names("recipes"))
    return errors


def _check_rows(source: Source, target: Target) -> list[UserError]:
    errors, seen = [], set()
    for place, row in enumerate(target.rows):
        here = ("rows", place)
        if row.name in seen:
            errors.append(source.error((*here, "name"), f"row '{row.name}' stands twice"))
        seen.add(row.name)
        if row.published is not None and len(row.published) != len(target.columns):
            what = f"{len(row.published)} published figures for {len(target.columns)} columns"
            errors.append(source.error((*here, "published"), what, "give one a column, null where none"))
        for number, printed in enumerate(row.published or []):
            if printed is not None and not _is_number(printed):
                errors.append(
                    source.error((*here, "published", number), f"{printed!r} is not a number as printed")
                )
        if (row.kind == "reference") != (row.evaluates is not None):
            fix = "a reference row `evaluates` bm25 or warm-up, no other row does"
            errors.append(source.error(here, f"row '{row.name}' of kind {row.kind}", fix))
        errors.extend(_check_sampler(source, here, row))
    return errors


def _check_sampler(source: Source, here: tuple[int | str, ...], row: Row) -> list[UserError]:
    if row.sampler is None:
        missing = row.kind in {"trained", "control"}
        fix = "name a preset"
        return [source.error(here, f"row '{row.name}' has no sampler", fix)] if missing else []
    choice, place = row.sampler, (*here, "sampler")
    if choice.preset not in presets():
        return [source.error(place, f"unknown sampler '{choice.preset}'", nearest(choice.preset, presets()))]
    errors = []
    if choice.mask is not None and choice.mask not in MASKS:
        errors.append(
            source.error((*place, "mask"), f"unknown mask '{choice.mask}'", nearest(choice.mask, MASKS))
        )
    if choice.draw is not None and choice.draw not in DRAWS:
        errors.append(
            source.error((*place, "draw"), f"unknown draw '{choice.draw}'", nearest(choice.draw, DRAWS))
        )
    try:
        make_law(presets()[choice.preset].settings["law"], choice.with_)
    except UserError as error:
        errors.append(source.error((*place, "with"), error.what, error.fix))
    return errors


def _check_notes(source: Source, target: Target, paper: Paper) -> list[UserError]:
    known = [note.id for note in paper.notes]
    return [
        source.error(("notes", place), f"the paper's register has no note '{note}'", nearest(note, known))
        for place, note in enumerate(target.notes)
        if note not in known
    ]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
