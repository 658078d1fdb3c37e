"""Whether rankings and judgements at a scale reach as far as the measures of a target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.errors import UserError
from harness.evaluation.measures import cutoff_of, grade_of, reads_answers
from harness.specs.collection_choice import CollectionChoice
from harness.specs.loaded import LoadedTarget
from harness.specs.scale import Scale
from harness.specs.target import Measured
from harness.specs.yaml_file import Location, YamlFile

NO_ANSWERS = (
    "take a measure of judgements, such as Success(rel=2)@20, or a collection whose queries have answers"
)
"""What to do where a measure reads answers and there are none."""


def check_measures(
    yaml_file: YamlFile, loaded: LoadedTarget, scales: Mapping[str, Scale]
) -> Iterator[UserError]:
    """Yield measures whose figures would look measured and are not, at any of the target's scales.

    Args:
        yaml_file: the target's file.
        loaded: the target with what it names; its measures are sound by themselves.
        scales: by name, all those of the target.
    """
    for place, measure, dataset in placed_measures(loaded):
        for number, name in enumerate(loaded.target.scales):
            choice = loaded.datasets[dataset].collections.get(name)
            for what, fix in _beyond(measure, scales[name].depth, choice):
                yield yaml_file.error(place or ("scales", number), f"{what} at scale '{name}'", fix)


def _beyond(measure: str, depth: int, choice: CollectionChoice | None) -> Iterator[tuple[str, str]]:
    """Yield what a measure reads that is not there: what is wrong, and what to do."""
    cutoff, grade = cutoff_of(measure), grade_of(measure)
    highest = choice.highest_grade if choice else None
    if reads_answers(measure) and choice is not None and choice.has_answers is False:
        yield f"'{measure}' reads answers, and {choice.kind} has none", NO_ANSWERS
    if cutoff is not None and cutoff > depth:
        what = f"'{measure}' reads {cutoff} documents, rankings have {depth}"
        yield what, "lower the cutoff, or raise the scale's `depth`"
    if highest is not None and grade > highest:
        yield f"'{measure}' counts grade {grade}, judgements have {highest} at most", f"write rel={highest}"


def placed_measures(loaded: LoadedTarget) -> Iterator[tuple[Location, str, str]]:
    """Yield the place of each measure, the measure, and its dataset; no place of what a dataset adds."""
    target = loaded.target
    for number, column in enumerate(target.columns if isinstance(target, Measured) else []):
        yield ("columns", number, "measure"), column.measure, column.dataset
    for name in target.datasets:
        for further in loaded.datasets[name].further:
            yield (), further.measure, name
