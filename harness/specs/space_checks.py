"""Checks of a tuning's spaces: ranges, conditions, parameters that a row does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.errors import UserError, nearest
from harness.pieces import PieceError
from harness.specs.run_settings import TrainedRun
from harness.specs.sampler_checks import lacking
from harness.specs.tuning import ROUNDING, Dimension, StudySpec, TuningSpec, Values, completed
from harness.specs.varied import own_value, varied
from harness.specs.yaml_file import Location, YamlFile

ENOUGH = 10_000
"""Size of a grid beyond which its settings are not counted."""


def check_space(yaml_file: YamlFile, tuning: TuningSpec, place: int) -> Iterator[UserError]:
    """Yield errors of a study's space that do not depend on the row.

    Args:
        yaml_file: the spec file.
        tuning: its content.
        place: index of the study.
    """
    study = tuning.studies[place]
    space = tuning.space(study)
    for key in set(tuning.shared) & set(study.space):
        yield yaml_file.error(
            ("studies", place, "space", key), "`shared` has it as well", "keep one of the two"
        )
    if not space:
        yield yaml_file.error(("studies", place), "nothing is tuned", "add a `space`, or `shared`")
    for number, (key, dimension) in enumerate(space.items()):
        here = place_of(study, place, key)
        yield from _check_range(yaml_file, here, dimension)
        yield from _check_conditions(yaml_file, here, dimension, dict(list(space.items())[:number]))
    for number, first in enumerate(study.first):
        yield from _check_first(yaml_file, ("studies", place, "first", number), first, space)


def check_built(
    yaml_file: YamlFile, tuning: TuningSpec, place: int, base: TrainedRun, scale: str
) -> Iterator[UserError]:
    """Yield values that a row cannot have, by building its pieces with them.

    Args:
        yaml_file: the spec file.
        tuning: its content.
        place: index of the study.
        base: settings of its row at the scale.
        scale: name of the scale.
    """
    study = tuning.studies[place]
    space, wrong = tuning.space(study), False
    for key, dimension in space.items():
        for error in _unbuilt(base, space, key, dimension):
            wrong = True
            at = str(error.place[0]) if error.place and error.place[0] in space else key
            yield yaml_file.error(place_of(study, place, at), f"row '{study.row}': {error.what}", error.fix)
            break
    for number, first in enumerate([] if wrong else study.first):
        for key, value in completed(space, first, lambda key: own_value(base, key)).items():
            ranged = space[key].choices or (space[key].low is not None and space[key].high is not None)
            if key not in first and ranged and not space[key].holds(value):
                what = f"the own value of row '{study.row}' at scale '{scale}', {value!r}, lies outside"
                fix = f"widen the range, or set the key in `first[{number}]`"
                yield yaml_file.error(place_of(study, place, key), what, fix)


def place_of(study: StudySpec, place: int, key: str) -> Location:
    """Return the location of a study's parameter in the file."""
    return ("studies", place, "space", key) if key in study.space else ("shared", key)


def grid_size(space: Mapping[str, Dimension]) -> int | None:
    """Return the number of settings, with conditions; none if a range is continuous.

    Counting stops above `ENOUGH`.
    """
    settings: list[Values] = [{}]
    if any(dimension.size is None for dimension in space.values()):
        return None
    for key, dimension in space.items():
        if len(settings) > ENOUGH or (dimension.size or 0) > ENOUGH:
            return ENOUGH + 1
        values = dimension.values or []
        with_it = [chosen for chosen in settings if dimension.applies(chosen)]
        without = [chosen for chosen in settings if not dimension.applies(chosen)]
        settings = [*without, *({**chosen, key: value} for chosen in with_it for value in values)]
    return len(settings)


def _check_range(yaml_file: YamlFile, here: Location, of: Dimension) -> Iterator[UserError]:
    """Yield errors of a parameter's range or choices."""
    ranged = [name for name in ("low", "high", "step") if getattr(of, name) is not None]
    if of.choices is not None:
        if ranged or of.log or of.int_:
            yield yaml_file.error(here, "a range and choices", "keep one of the two")
        if not of.choices:
            yield yaml_file.error((*here, "choices"), "no choices", "list some, or remove the parameter")
        for number, value in enumerate(of.choices):
            if value in of.choices[:number]:
                yield yaml_file.error((*here, "choices", number), f"{value!r} is listed twice", "keep one")
        return
    if of.low is None or of.high is None:
        yield yaml_file.error(here, "a parameter has `low` and `high`, or `choices`", "add them")
        return
    width, step = of.high - of.low, of.step or (1.0 if of.int_ else None)
    if width <= 0:
        what = f"the range from {of.low:g} to {of.high:g} is empty"
        yield yaml_file.error((*here, "high"), what, "make `high` larger than `low`")
    elif step is not None and step > width:
        what = f"a step of {step:g} is wider than the range, {width:g}"
        yield yaml_file.error((*here, "step") if of.step else here, what, "make it smaller")
    elif step is not None and abs(width / step - round(width / step)) > ROUNDING:
        what = f"steps of {step:g} from {of.low:g} do not meet {of.high:g}"
        yield yaml_file.error((*here, "step") if of.step else here, what, "change `high`, or the step")
    if of.log and (of.low <= 0 or of.step is not None):
        what = "a logarithmic range begins above 0 and has no step"
        yield yaml_file.error((*here, "log"), what, "change it, or remove `log`")
    if of.int_ and any(value != round(value) for value in (of.low, of.high, step or 1.0)):
        yield yaml_file.error((*here, "int"), "a range of whole numbers has whole ends", "round them")


def _check_conditions(
    yaml_file: YamlFile, here: Location, of: Dimension, above: Mapping[str, Dimension]
) -> Iterator[UserError]:
    for key, accepted in of.conditions.items():
        place = (*here, "when", key)
        if key not in above:
            what = f"this space has no parameter '{key}' above it"
            yield yaml_file.error(place, what, nearest(key, above) or "add it, or remove the condition")
            continue
        choices = above[key].choices
        if choices is None:
            yield yaml_file.error(
                place, f"'{key}' is a range", "a condition is on a parameter with `choices`"
            )
            continue
        for value in accepted:
            if value not in choices:
                yield yaml_file.error(
                    place, f"'{key}' is never {value!r}", nearest(str(value), map(str, choices))
                )


def _check_first(
    yaml_file: YamlFile, here: Location, first: Values, space: Mapping[str, Dimension]
) -> Iterator[UserError]:
    """Yield errors of the keys and values of a first setting."""
    for key, value in first.items():
        if key not in space:
            yield yaml_file.error((*here, key), "the space has no such parameter", nearest(key, space))
        elif not space[key].holds(value):
            yield yaml_file.error((*here, key), f"{value!r} lies outside the space", "widen the space")
        else:
            for of, accepted in space[key].conditions.items():
                if of in first and first[of] not in accepted:
                    what = f"it does not apply where '{of}' is {first[of]!r}"
                    yield yaml_file.error((*here, key), what, "remove it")


def _unbuilt(
    base: TrainedRun, space: Mapping[str, Dimension], key: str, of: Dimension
) -> Iterator[PieceError]:
    """Yield why a row cannot have a parameter's values, each built under its conditions."""
    conditions = {on: accepted[0] for on, accepted in of.conditions.items() if on in space and accepted}
    ends = [round(end) if of.int_ else end for end in (of.low, of.high) if end is not None]
    for value in of.choices or ends:
        try:
            settings = varied(base, {**conditions, key: value})
        except PieceError as error:
            yield error
            continue
        if settings.sampler is not None and settings.sampler.source is not None:
            law, source = settings.sampler.law, settings.sampler.source
            yield from (PieceError(f"at {value!r}, {what}", fix) for what, fix in lacking(law, source))
