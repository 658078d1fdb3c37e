"""What is wrong with the loss that a recipe chooses: its name, its parameters, what it needs."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import UserError
from harness.negatives.pieces import PieceError
from harness.specs.source import Location, Source
from harness.training.losses.registry import make_loss


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
