"""Tuning specs by name, checked, with the settings of the rows that they tune."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.errors import SpecErrors, UserError, nearest
from harness.evaluation.measures import reads_answers
from harness.specs.library import Library
from harness.specs.loading import in_order, try_parse
from harness.specs.measure_checks import NO_ANSWERS
from harness.specs.resolve import NamedScale, Resolved, resolve
from harness.specs.run_settings import RunSettings, TrainedRun
from harness.specs.space_checks import check_built, check_space
from harness.specs.target import Row, Trained
from harness.specs.tuning import StudySpec, TuningSpec, Values, completed
from harness.specs.tuning_checks import check_row, check_tuning, unknown_target
from harness.specs.varied import own_value
from harness.specs.yaml_file import YamlFile, read_yaml

FOLDER = "tuning"

Kind = TypeVar("Kind", bound=RunSettings)


@dataclass(frozen=True)
class ResolvedTuning:
    """A tuning at a scale.

    Attributes:
        name: for example ``simans-a-b``.
        spec: content of the spec file.
        resolved: its target at the scale.
    """

    name: str
    spec: TuningSpec
    resolved: Resolved

    @property
    def scale(self) -> str:
        """Name of the scale."""
        return self.resolved.scale.name

    def base(self, study: StudySpec) -> TrainedRun:
        """Return the settings of a study's row, on the carved collection."""
        return _base(self.resolved, self.spec, study)

    def first(self, study: StudySpec) -> list[Values]:
        """Return the first settings of a study, completed by the row's own values."""
        base, space = self.base(study), self.spec.space(study)
        return [completed(space, first, lambda key: own_value(base, key)) for first in study.first]


def tuning_names(library: Library) -> list[str]:
    """Return the names of all tuning specs."""
    return library.names(FOLDER)


def load_tuning(library: Library, name: str) -> TuningSpec:
    """Read a tuning spec, and check that it fits its target at all scales.

    Raises:
        UserError: unknown tuning.
        SpecErrors: all errors of the file.
    """
    known = tuning_names(library)
    if name not in known:
        raise UserError(f"unknown tuning '{name}'", fix=nearest(name, known) or "there is none yet")
    yaml_file = read_yaml(library.root / FOLDER / f"{name}.yaml", library.root)
    tuning, errors = try_parse(yaml_file, TuningSpec, "tuning")
    if tuning is not None:
        errors += check_tuning(yaml_file, tuning, library)
        for place in range(len(tuning.studies)):
            errors += check_space(yaml_file, tuning, place)
        errors += _check_target(yaml_file, tuning, library)
    if tuning is None or errors:
        raise SpecErrors(in_order(errors))
    return tuning


def resolve_tuning(library: Library, name: str, scale: str) -> ResolvedTuning:
    """Load a tuning at a scale.

    Raises:
        UserError: unknown tuning or scale, or its target has no such scale.
        SpecErrors: all errors of the file.
    """
    tuning = load_tuning(library, name)
    return ResolvedTuning(name, tuning, resolve(library, tuning.target, scale))


def _check_target(yaml_file: YamlFile, tuning: TuningSpec, library: Library) -> Iterator[UserError]:
    """Yield what does not fit the target, at any of its scales whose collection is available."""
    if tuning.target not in library.targets():
        yield unknown_target(yaml_file, tuning.target, library)
        return
    loaded = library.target(tuning.target)
    if len(loaded.target.datasets) > 1:
        what = f"'{tuning.target}' has columns over several datasets"
        yield yaml_file.error(("target",), what, "tune a target of one")
        return
    for scale in loaded.target.scales:
        if Resolved(loaded, NamedScale(scale, library.scale(scale))).has_answers() is False:
            yield from _unanswered(yaml_file, tuning, scale)
    for place, study in enumerate(tuning.studies):
        here = ("studies", place, "row")
        try:
            row = loaded.row(study.row)
        except UserError as error:
            yield yaml_file.error(here, error.what, error.fix)
            continue
        shared = loaded.target.shared.recipe if isinstance(loaded.target, Trained) else ""
        recipe = loaded.recipes.get((row.recipe if isinstance(row, Row) else None) or shared)
        unfit = list(check_row(yaml_file, here, row, drawing=recipe is not None and recipe.last.own is None))
        yield from unfit
        for scale in loaded.target.scales if not unfit else ():
            resolved = Resolved(loaded, NamedScale(scale, library.scale(scale)))
            if resolved.collection().available:
                yield from check_built(yaml_file, tuning, place, _base(resolved, tuning, study), scale)


def _unanswered(yaml_file: YamlFile, tuning: TuningSpec, scale: str) -> Iterator[UserError]:
    """Yield objectives that read answers, where the collection of a scale has none."""
    for place, objective in enumerate(tuning.objectives):
        if objective.measure is not None and reads_answers(objective.measure):
            what = f"'{objective.measure}' reads answers, and the collection at scale '{scale}' has none"
            yield yaml_file.error(("objectives", place, "measure"), what, NO_ANSWERS)


def _base(resolved: Resolved, tuning: TuningSpec, study: StudySpec) -> TrainedRun:
    row = resolved.loaded.row(study.row)
    if not isinstance(row, Row):
        raise ValueError(f"load_tuning() refuses rows like '{row.name}'")
    measures = tuple(objective.measure for objective in tuning.objectives if objective.measure)
    settings = resolved.run(row, 0)
    if not isinstance(settings, TrainedRun):
        raise ValueError(f"load_tuning() refuses rows like '{row.name}', which are not trained")
    return _carved(settings, tuning.held_out, measures)


def _carved(settings: Kind, held_out: float, measures: tuple[str, ...]) -> Kind:
    """Return the settings of a run, and of all runs below it, on the carved collection."""
    collection = settings.collection.model_copy(update={"held_out": held_out})
    changes: dict[str, Any] = {"collection": collection, "measures": measures}
    for name, below in settings.below.items():
        changes[name] = _carved(below, held_out, measures)
    return settings.model_copy(update=changes)
