"""Searches found by name and checked, with the settings that their trials begin from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.errors import SpecErrors, UserError, nearest
from harness.specs.library import Library
from harness.specs.loading import in_order, try_parse
from harness.specs.models import Row, Trained
from harness.specs.resolve import Resolved, resolve
from harness.specs.settings import RunSettings
from harness.specs.space_checks import check_built, check_space
from harness.specs.tuning import Search, StudySpec, Values, completed
from harness.specs.tuning_checks import check_row, check_search, unknown_target
from harness.specs.varied import own_value
from harness.specs.yaml_file import Source, read_source

FOLDER = "tuning"


@dataclass(frozen=True)
class ResolvedSearch:
    """A search at a scale.

    Attributes:
        name: for example ``simans-a-b``.
        search: the spec.
        resolved: its target at the scale.
    """

    name: str
    search: Search
    resolved: Resolved

    @property
    def scale(self) -> str:
        """Name of the scale."""
        return self.resolved.scale.name

    def base(self, study: StudySpec) -> RunSettings:
        """Return the settings of a study's row, on the carved collection."""
        return _base(self.resolved, self.search, study)

    def first(self, study: StudySpec) -> list[Values]:
        """Return the first settings of a study, whole."""
        base, space = self.base(study), self.search.space(study)
        return [completed(space, first, lambda key: own_value(base, key)) for first in study.first]


def searches(library: Library) -> list[str]:
    """Return the names of all searches."""
    return library.names(FOLDER)


def load_search(library: Library, name: str) -> Search:
    """Read a search, and check that it fits its target at all scales of that.

    Raises:
        UserError: there is no such search.
        SpecErrors: all that is wrong in its file.
    """
    known = searches(library)
    if name not in known:
        raise UserError(f"unknown search '{name}'", fix=nearest(name, known) or "there is none yet")
    source = read_source(library.root / FOLDER / f"{name}.yaml", library.root)
    search, errors = try_parse(source, Search, "search")
    if search is not None:
        errors += check_search(source, search, library)
        for place in range(len(search.studies)):
            errors += check_space(source, search, place)
        errors += _check_target(source, search, library)
    if search is None or errors:
        raise SpecErrors(in_order(errors))
    return search


def resolve_search(library: Library, name: str, scale: str) -> ResolvedSearch:
    """Load a search at a scale.

    Raises:
        UserError: unknown search or scale, or its target has no such scale.
        SpecErrors: all that is wrong in its file.
    """
    search = load_search(library, name)
    return ResolvedSearch(name, search, resolve(library, search.target, scale))


def _check_target(source: Source, search: Search, library: Library) -> Iterator[UserError]:
    """Yield what does not fit the target, at any of its scales that can be had."""
    if search.target not in library.targets():
        yield unknown_target(source, search.target, library)
        return
    loaded = library.target(search.target)
    if len(loaded.target.datasets) > 1:
        what = f"'{search.target}' has columns over several datasets"
        yield source.error(("target",), what, "tune a target of one")
        return
    for place, study in enumerate(search.studies):
        here = ("studies", place, "row")
        try:
            row = loaded.row(study.row)
        except UserError as error:
            yield source.error(here, error.what, error.fix)
            continue
        shared = loaded.target.shared.recipe if isinstance(loaded.target, Trained) else ""
        recipe = loaded.recipes.get((row.recipe if isinstance(row, Row) else None) or shared)
        unfit = list(check_row(source, here, row, recipe.negatives if recipe else ""))
        yield from unfit
        for scale in loaded.target.scales if not unfit else ():
            resolved = resolve(library, search.target, scale)
            if resolved.collection().available:
                yield from check_built(source, search, place, _base(resolved, search, study), scale)


def _base(resolved: Resolved, search: Search, study: StudySpec) -> RunSettings:
    row = resolved.loaded.row(study.row)
    if not isinstance(row, Row):
        raise ValueError(f"load_search() lets no row like '{row.name}' pass")
    measures = tuple(objective.measure for objective in search.objectives if objective.measure)
    return _carved(resolved.run(row, 0), search.held_out, measures)


def _carved(settings: RunSettings, held_out: float, measures: tuple[str, ...]) -> RunSettings:
    """Return the settings of a run, and of all runs below it, on the carved collection."""
    collection = settings.collection.model_copy(update={"held_out": held_out})
    changes: dict[str, Any] = {"collection": collection, "measures": measures}
    for name in ("start", "teacher"):
        below = getattr(settings, name)
        if below is not None:
            changes[name] = _carved(below, held_out, measures)
    return settings.model_copy(update=changes)
