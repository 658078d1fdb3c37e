"""What is wrong with the losses and turns that a recipe chooses: names, parameters, what they need."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import UserError, nearest
from harness.negatives.presets import presets
from harness.pieces import PieceError, make_piece
from harness.specs.parts import Recipe
from harness.specs.yaml_file import Location, Source
from harness.training.losses.registry import make_loss
from harness.training.turns import TURNS


def check_recipe(source: Source, recipe: Recipe | None) -> Iterator[UserError]:
    """Yield what is wrong with a recipe beyond the types of its values.

    Args:
        source: the spec file.
        recipe: what it says, as far as it can be read.
    """
    taught = source.at(("ranker",)) is not None
    yield from check_loss(source, ("loss",), teacher=taught)
    yield from check_loss(source, ("ranker", "loss"), teacher=False)
    yield from _check_turns(source, ("ranker", "turns"))
    if recipe is None:
        return
    if recipe.trains == "ranker" and (recipe.start is None or recipe.negatives != "drawn"):
        fix = "give it a `start` whose retriever finds candidates, and `negatives: drawn`"
        yield source.error(("trains",), "a ranker is trained on what a retriever finds", fix)
    if recipe.trains == "ranker" and recipe.ranker is not None:
        yield source.error(("ranker",), "a recipe of a ranker is taught by none", "remove it")
    if recipe.draws is not None and recipe.draws not in presets():
        yield source.error(("draws",), f"unknown sampler '{recipe.draws}'", nearest(recipe.draws, presets()))
    if recipe.trains == "retriever" and recipe.draws is not None:
        what = "the rows of a target choose the sampler of a retriever"
        yield source.error(("draws",), what, "remove it")
    if recipe.ranker is not None and (recipe.start is None or recipe.negatives != "drawn"):
        fix = "give the recipe a `start`, and `negatives: drawn`"
        yield source.error(("ranker",), "a ranker teaches over drawn negatives", fix)


def _check_turns(source: Source, place: Location) -> Iterator[UserError]:
    given = source.at(place)
    if isinstance(given, str | dict):
        try:
            make_piece("turns", TURNS, given)
        except PieceError as error:
            yield source.error((*place, *error.place), error.what, error.fix)


def check_loss(source: Source, place: Location, *, teacher: bool) -> Iterator[UserError]:
    """Yield what is wrong with a loss, at the key that is to be changed.

    Args:
        source: the spec file.
        place: where the loss stands in it; what is neither a name nor a mapping is told by the types.
        teacher: whether there is a ranker to teach the retriever.
    """
    given = source.at(place)
    if not isinstance(given, str | dict):
        return
    try:
        loss = make_loss(given)
    except PieceError as error:
        yield source.error((*place, *error.place), error.what, error.fix)
        return
    if loss.needs_teacher and not teacher:
        what = f"loss '{loss.name}' needs a teacher, which this recipe does not have"
        yield source.error(place, what, "choose a loss over labels alone, such as softmax-cross-entropy")
