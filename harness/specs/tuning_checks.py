"""What is wrong with a search beyond its spaces: its objectives, its rows, how its parts fit together."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import UserError, nearest
from harness.evaluation.measures import DEV_MEASURE, parse_measure
from harness.specs.checks import MADE_BY_TRAINING
from harness.specs.library import Library
from harness.specs.models import Line, Row
from harness.specs.space_checks import grid_size
from harness.specs.tuning import HELD_OUT, Objective, Search
from harness.specs.yaml_file import Location, Source


def check_search(source: Source, search: Search, library: Library) -> Iterator[UserError]:
    """Yield what is wrong with objectives, and with how samplers and pruners serve them."""
    for number, objective in enumerate(search.objectives):
        yield from _check_objective(source, ("objectives", number), objective, library)
    costs = [objective.cost is not None for objective in search.objectives]
    if costs not in ([False], [False, True]):
        what = "a search is after one measure, or after a measure and then a cost"
        yield source.error(("objectives",), what, "write it first, and the cost second")
    rows = [study.row for study in search.studies]
    for number, row in enumerate(rows):
        if row in rows[:number]:
            yield source.error(("studies", number, "row"), f"'{row}' stands twice", "keep one")
    yield from _check_optuna(source, search)


def _check_objective(
    source: Source, place: Location, objective: Objective, library: Library
) -> Iterator[UserError]:
    if (objective.measure is None) == (objective.cost is None):
        yield source.error(place, "an objective is a `measure` or a `cost`", "give one of the two")
    if objective.measure is not None:
        try:
            parse_measure(objective.measure)
        except UserError as error:
            yield source.error((*place, "measure"), error.what, error.fix)
    if objective.split != HELD_OUT:
        reporting = _reporting(library, objective.split)
        what = (
            f"split '{objective.split}' is reported by {reporting}: what is tuned on it is not measured on it"
            if reporting
            else f"there is no split '{objective.split}'"
        )
        yield source.error((*place, "split"), what, f"remove the key, or write `split: {HELD_OUT}`")


def _reporting(library: Library, split: str) -> str:
    """Return which targets report a split, in words; nothing where none does."""
    found = []
    for name in library.targets():
        try:
            splits = library.target(name).splits
        except UserError:
            continue  # what is wrong with it is told where it is used
        if split in splits:
            found.append(name)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0]}{more}" if found else ""


def _check_optuna(source: Source, search: Search) -> Iterator[UserError]:
    chosen, several = search.optuna, len(search.objectives) > 1
    here: Location = ("optuna", "pruner")
    if chosen.pruner != "none":
        if several:
            what = "of two objectives no curve tells which trial is to be stopped"
            yield source.error(here, what, "write `pruner: none`")
        elif search.objectives[0].measure != DEV_MEASURE:
            what = f"what is watched while a trial trains is {DEV_MEASURE}, not the objective"
            yield source.error(here, what, "write `pruner: none`, or change the objective")
        if any("steps" in search.space(study) for study in search.studies):
            what = "trials of different `steps` are at different places of their schedules at one step"
            yield source.error(here, what, "write `pruner: none`, or fix the steps")
    here = ("optuna", "sampler")
    if chosen.sampler == "cma-es" and several:
        yield source.error(here, "cma-es has one objective", "use nsga-ii")
    if chosen.sampler == "grid":
        for study in search.studies:
            size = grid_size(search.space(study))
            if size is None:
                what = f"the space of '{study.row}' is no grid"
                yield source.error(here, what, "give each range a `step`, or `choices`")
            elif size < search.trials:
                what = f"the grid of '{study.row}' has {size} settings"
                yield source.error(("trials",), what, f"lower `trials` to {size}")


def check_row(source: Source, place: Location, row: Line, negatives: str) -> Iterator[UserError]:
    """Yield why a row of the target cannot be searched over.

    Args:
        source: the spec file.
        place: where the row is named.
        row: of the target.
        negatives: of its recipe.
    """
    if row.kind not in MADE_BY_TRAINING or not isinstance(row, Row) or row.sampler is None:
        what = f"row '{row.name}' of kind '{row.kind}' is not trained"
        yield source.error(place, what, "name a row that is")
    elif negatives == "in-batch" or row.sampler.piece("source") is None:
        yield source.error(place, f"row '{row.name}' draws no negatives", "name a row that does")


def unknown_target(source: Source, name: str, library: Library) -> UserError:
    """Return the error for a target that there is not."""
    return source.error(("target",), f"unknown target '{name}'", nearest(name, library.targets()))
