"""Checks of a tuning spec: its objectives, its rows, how sampler and pruner fit them."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import UserError, nearest
from harness.evaluation.measures import DEV_MEASURE, check_measure
from harness.specs.checks import MADE_BY_TRAINING
from harness.specs.library import Library
from harness.specs.space_checks import grid_size
from harness.specs.target import Line, Row
from harness.specs.tuning import HELD_OUT, ObjectiveSpec, TuningSpec
from harness.specs.yaml_file import Location, YamlFile


def check_tuning(yaml_file: YamlFile, tuning: TuningSpec, library: Library) -> Iterator[UserError]:
    """Yield errors of objectives and rows, and of samplers and pruners that do not fit them."""
    for number, objective in enumerate(tuning.objectives):
        yield from _check_objective(yaml_file, ("objectives", number), objective, library)
    costs = [objective.cost is not None for objective in tuning.objectives]
    if costs not in ([False], [False, True]):
        what = "a tuning has one measure, or a measure and then a cost"
        yield yaml_file.error(("objectives",), what, "write it first, and the cost second")
    rows = [study.row for study in tuning.studies]
    for number, row in enumerate(rows):
        if row in rows[:number]:
            yield yaml_file.error(("studies", number, "row"), f"'{row}' is listed twice", "keep one")
    yield from _check_optuna(yaml_file, tuning)


def _check_objective(
    yaml_file: YamlFile, place: Location, objective: ObjectiveSpec, library: Library
) -> Iterator[UserError]:
    if (objective.measure is None) == (objective.cost is None):
        yield yaml_file.error(place, "an objective is a `measure` or a `cost`", "give one of the two")
    if objective.measure is not None:
        try:
            check_measure(objective.measure)
        except UserError as error:
            yield yaml_file.error((*place, "measure"), error.what, error.fix)
    if objective.split != HELD_OUT:
        reporting = _reporting(library, objective.split)
        what = (
            f"split '{objective.split}' is reported by {reporting}: what is tuned on it is not measured on it"
            if reporting
            else f"there is no split '{objective.split}'"
        )
        yield yaml_file.error((*place, "split"), what, f"remove the key, or write `split: {HELD_OUT}`")


def _reporting(library: Library, split: str) -> str:
    """Return the targets that report a split, as text; empty if there are none."""
    names = []
    for name in library.targets():
        try:
            splits = library.target(name).splits
        except UserError:
            continue  # its errors are reported where it is used
        if split in splits:
            names.append(name)
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}" if names else ""


def _check_optuna(yaml_file: YamlFile, tuning: TuningSpec) -> Iterator[UserError]:
    chosen, several = tuning.optuna, len(tuning.objectives) > 1
    here: Location = ("optuna", "pruner")
    if chosen.pruner != "none":
        if several:
            what = "two objectives have no curve by which trials could be pruned"
            yield yaml_file.error(here, what, "write `pruner: none`")
        elif tuning.objectives[0].measure != DEV_MEASURE:
            what = f"the measure during training is {DEV_MEASURE}, not the objective"
            yield yaml_file.error(here, what, "write `pruner: none`, or change the objective")
        if any("steps" in tuning.space(study) for study in tuning.studies):
            what = "trials of different `steps` are at different places of their schedules at one step"
            yield yaml_file.error(here, what, "write `pruner: none`, or fix the steps")
    here = ("optuna", "sampler")
    if chosen.sampler == "cma-es" and several:
        yield yaml_file.error(here, "cma-es has one objective", "use nsga-ii")
    if chosen.sampler == "grid":
        for study in tuning.studies:
            size = grid_size(tuning.space(study))
            if size is None:
                what = f"the space of '{study.row}' is no grid"
                yield yaml_file.error(here, what, "give each range a `step`, or `choices`")
            elif size < tuning.trials:
                what = f"the grid of '{study.row}' has {size} settings"
                yield yaml_file.error(("trials",), what, f"lower `trials` to {size}")


def check_row(yaml_file: YamlFile, place: Location, row: Line, *, drawing: bool) -> Iterator[UserError]:
    """Yield why a row of the target cannot be tuned.

    Args:
        yaml_file: the spec file.
        place: location of the row's name in it.
        row: the row in the target.
        drawing: whether the last phase of its recipe draws by the row's sampler.
    """
    if row.kind not in MADE_BY_TRAINING or not isinstance(row, Row) or row.sampler is None:
        what = f"row '{row.name}' of kind '{row.kind}' is not trained"
        yield yaml_file.error(place, what, "name a row that is")
    elif not drawing or row.sampler.piece("source") is None:
        yield yaml_file.error(place, f"row '{row.name}' draws no negatives", "name a row that does")


def unknown_target(yaml_file: YamlFile, name: str, library: Library) -> UserError:
    """Return the error for an unknown target."""
    return yaml_file.error(("target",), f"unknown target '{name}'", nearest(name, library.targets()))
