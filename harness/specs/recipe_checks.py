"""What is wrong with a recipe beyond the types of its values: its pieces, and what its phases start from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.errors import UserError, nearest
from harness.pieces import PieceError
from harness.specs.recipe import Phase, Recipe, phases_of
from harness.specs.sampler_checks import check_sampler
from harness.specs.yaml_file import Location, YamlFile
from harness.training.losses.registry import make_loss
from harness.training.turns import make_turns


def check_pieces(yaml_file: YamlFile, recipe: Recipe | None) -> Iterator[UserError]:
    """Yield what is wrong with a recipe by itself.

    Args:
        yaml_file: the spec file.
        recipe: what it says, as far as it can be read.
    """
    phases = yaml_file.at(("phases",))
    for number in range(len(phases) if isinstance(phases, list) else 0):
        here: Location = ("phases", number)
        taught = yaml_file.at((*here, "ranker")) is not None
        yield from check_loss(yaml_file, (*here, "loss"), teacher=taught)
        yield from check_loss(yaml_file, (*here, "ranker", "loss"), teacher=False)
        yield from _check_turns(yaml_file, (*here, "ranker", "turns"))
        yield from _check_turns_on_datasets(yaml_file, (*here, "ranker", "published_turns"))
    names: set[str] = set()
    for number, phase in enumerate(recipe.phases if recipe else []):
        here = ("phases", number)
        if phase.name in names:
            yield yaml_file.error((*here, "name"), f"'{phase.name}' is given twice", "give each its own name")
        names.add(phase.name)
        if phase.own is not None:
            yield from check_sampler(yaml_file, (*here, "negatives", "sampler"), phase.own.sampler)
        yield from _check_phase(yaml_file, here, phase)


def check_starts(
    yaml_file: YamlFile, name: str, recipe: Recipe, recipes: Mapping[str, Recipe]
) -> Iterator[UserError]:
    """Yield the starts of a recipe that lead nowhere, in a circle, or to what is not needed there.

    Args:
        yaml_file: the spec file.
        name: of the recipe.
        recipe: sound by itself.
        recipes: by name, itself and all that it starts from.
    """
    for number, phase in enumerate(recipe.phases):
        here: Location = ("phases", number)
        known = phases_of(recipes)
        for place, start, ranked in _starts(here, phase):
            if start not in known:
                what = f"unknown phase '{start}'"
                yield yaml_file.error(place, what, nearest(start, known) or "name it <recipe>/<phase>")
            elif _stands_on(start, f"{name}/{phase.name}", known):
                what = f"'{name}/{phase.name}' and '{start}' start from each other"
                yield yaml_file.error(place, what, "break the circle")
            elif ranked and known[start].trains != "ranker" and known[start].ranker is None:
                what = f"phase '{start}' trains no ranker"
                yield yaml_file.error(place, what, "name a phase that `trains: ranker`, or has a `ranker`")
            elif not ranked and known[start].trains == "ranker":
                what = f"phase '{start}' trains a ranker, which is no retriever to start from"
                yield yaml_file.error(place, what, "name the phase that trained its retriever")
        yield from _check_one_vocabulary(yaml_file, here, phase, known)


def _check_one_vocabulary(
    yaml_file: YamlFile, here: Location, phase: Phase, known: Mapping[str, Phase]
) -> Iterator[UserError]:
    """Check that a ranker reads the tokens of the retriever beside it: both stand on one encoder."""
    if phase.ranker is None or not isinstance(phase.start, str):
        return
    own, other = (_begins(start, known) for start in (phase.start, phase.ranker.start))
    if own and other and own != other:
        what = f"the ranker stands on {other}, the retriever on {own}"
        fix = "start both from one encoder: a ranker reads the tokens of its retriever"
        yield yaml_file.error((*here, "ranker", "start"), what, fix)


def _begins(name: str, known: Mapping[str, Phase], seen: tuple[str, ...] = ()) -> str:
    """Return the encoder that a phase stands on, in words; empty where it leads nowhere, told elsewhere."""
    if name not in known or name in seen:
        return ""
    start = known[name].start
    if isinstance(start, str):
        return _begins(start, known, (*seen, name))
    return "the scale's encoder" if start is None else f"the checkpoint {start.text}"


def _starts(here: Location, phase: Phase) -> Iterator[tuple[Location, str, bool]]:
    """Yield place and name of what a phase starts from, and whether a ranker is taken from there."""
    if isinstance(phase.start, str):
        yield (*here, "start"), phase.start, False
    if phase.ranker is not None:
        yield (*here, "ranker", "start"), phase.ranker.start, True


def _stands_on(start: str, name: str, known: Mapping[str, Phase], seen: tuple[str, ...] = ()) -> bool:
    """Whether a phase is another one, or stands on it."""
    if start == name:
        return True
    if start in seen or start not in known:
        return False
    return any(_stands_on(below, name, known, (*seen, start)) for below in known[start].starts)


def _check_phase(yaml_file: YamlFile, here: Location, phase: Phase) -> Iterator[UserError]:
    own = phase.own
    undrawn = own is not None and not own.sampler.draws
    if phase.trains == "ranker" and (not isinstance(phase.start, str) or undrawn):
        fix = "give it a `start` whose retriever finds candidates, and negatives that are drawn from them"
        yield yaml_file.error((*here, "trains"), "a ranker is trained on what a retriever finds", fix)
    if phase.trains == "ranker" and own is None:
        what = "a ranker draws its own negatives, so that the rows of a target share it"
        yield yaml_file.error((*here, "negatives"), what, "name a `sampler`, such as uniform")
    if phase.checkpoint is not None and phase.trains != "ranker":
        fix = "write `start: {checkpoint: ...}` for a retriever"
        yield yaml_file.error((*here, "checkpoint"), "it is of a phase that trains a ranker", fix)
    if phase.ranker is not None and phase.ranker.learns:
        for key in ("optimizer", "schedule"):
            if getattr(phase.ranker, key) is None:
                what = f"a ranker that takes turns needs `{key}`"
                yield yaml_file.error((*here, "ranker"), what, "add it, or write `turns: retriever-alone`")
    if phase.trains == "ranker" and phase.ranker is not None:
        yield yaml_file.error(
            (*here, "ranker"), "a phase that trains a ranker is taught by none", "remove it"
        )
    if phase.ranker is not None and (not isinstance(phase.start, str) or undrawn):
        fix = "give the phase a `start`, and negatives that are drawn"
        yield yaml_file.error((*here, "ranker"), "a ranker teaches over drawn negatives", fix)


def _check_turns_on_datasets(yaml_file: YamlFile, place: Location) -> Iterator[UserError]:
    by_dataset = yaml_file.at(place)
    for name in by_dataset if isinstance(by_dataset, dict) else ():
        yield from _check_turns(yaml_file, (*place, name))


def _check_turns(yaml_file: YamlFile, place: Location) -> Iterator[UserError]:
    turns = yaml_file.at(place)
    if isinstance(turns, dict) and turns and all(isinstance(one, dict) for one in turns.values()):
        yield from _check_turns_on_datasets(yaml_file, place)
    elif isinstance(turns, str | dict):
        try:
            make_turns(turns)
        except PieceError as error:
            yield yaml_file.error((*place, *error.place), error.what, error.fix)


def check_loss(yaml_file: YamlFile, place: Location, *, teacher: bool) -> Iterator[UserError]:
    """Yield what is wrong with a loss, at the key that is to be changed.

    Args:
        yaml_file: the spec file.
        place: where the loss stands in it; the types refuse what is neither a name nor a mapping.
        teacher: whether there is a ranker to teach the retriever.
    """
    choice = yaml_file.at(place)
    if not isinstance(choice, str | dict):
        return
    try:
        loss = make_loss(choice)
    except PieceError as error:
        yield yaml_file.error((*place, *error.place), error.what, error.fix)
        return
    if loss.needs_teacher and not teacher:
        what = f"loss '{loss.name}' needs a teacher, which this phase does not have"
        yield yaml_file.error(place, what, "choose a loss over labels alone, such as softmax-cross-entropy")
