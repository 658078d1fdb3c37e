"""Whether a target fits the files that it names: its recipes, datasets and scales, its paper's register."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.errors import UserError, nearest
from harness.negatives.registry import make_topology
from harness.pieces import PieceError
from harness.specs.confirmation import Tuned
from harness.specs.loaded import LoadedTarget
from harness.specs.models import Measured, Row, Trained
from harness.specs.parts import Scale
from harness.specs.runs import Runs, Seeds
from harness.specs.settings import CollectionSettings
from harness.specs.yaml_file import Source
from harness.training.losses.registry import make_loss


def check_fit(source: Source, loaded: LoadedTarget, scales: Mapping[str, Scale]) -> Iterator[UserError]:
    """Yield what does not fit.

    Args:
        source: the target's file, whose places the errors name.
        loaded: the target, sound by itself, with what it names.
        scales: by name, all those of the target.
    """
    yield from _check_notes(source, loaded)
    yield from _check_collections(source, loaded)
    yield from _check_titles(source, loaded)
    if isinstance(loaded.target, Trained):
        yield from _check_negatives(source, loaded, loaded.target)
        yield from _check_overrides(source, loaded, loaded.target, scales)
        yield from _check_starts(source, loaded, loaded.target)
        yield from _check_rankers(source, loaded, loaded.target)
        yield from _check_scales(source, loaded, loaded.target, scales)


def _check_notes(source: Source, loaded: LoadedTarget) -> Iterator[UserError]:
    known = [note.id for note in loaded.paper.notes]
    for place, note in enumerate(loaded.target.notes):
        if note not in known:
            fix = nearest(note, known) or "the register is empty"
            yield source.error(("notes", place), f"the paper's register has no note '{note}'", fix)


def _check_collections(source: Source, loaded: LoadedTarget) -> Iterator[UserError]:
    for place, scale in enumerate(loaded.target.scales):
        for name, dataset in loaded.datasets.items():
            if scale not in dataset.collections:
                what = f"dataset '{name}' has no collection at scale '{scale}'"
                yield source.error(("scales", place), what, nearest(scale, dataset.collections))


def _check_titles(source: Source, loaded: LoadedTarget) -> Iterator[UserError]:
    """Check that titles tell several datasets apart, and that the primary column is called by one."""
    target = loaded.target
    if not isinstance(target, Measured) or len(target.datasets) == 1:
        return
    titles = [loaded.datasets[name].title for name in target.datasets]
    if len(set(titles)) < len(titles):
        fix = "give each a `title` of its own, in experiments/datasets/"
        yield source.error(("columns",), f"datasets of one title: {', '.join(target.datasets)}", fix)
    labels = [loaded.label(column) for column in target.columns]
    if target.primary not in labels:
        yield source.error(
            ("primary",), f"unknown column '{target.primary}'", nearest(target.primary, labels)
        )


def _check_negatives(source: Source, loaded: LoadedTarget, target: Trained) -> Iterator[UserError]:
    """Check that recipes of in-batch negatives get no sampler that draws."""
    for place, row in enumerate(target.rows):
        if row.sampler is None:
            continue
        name = row.recipe or target.shared.recipe
        if loaded.recipes[name].negatives == "in-batch" and row.sampler.piece("source") is not None:
            what = f"sampler '{row.sampler.preset}' does not fit recipe '{name}' of in-batch negatives"
            fix = "use the sampler in-batch, or a recipe of drawn negatives"
            yield source.error(("rows", place, "sampler"), what, fix)


def _check_starts(source: Source, loaded: LoadedTarget, target: Trained) -> Iterator[UserError]:
    """Check that rows continue one and the same warm-up, by which they are paired."""
    shared = target.shared.recipe
    named = {shared: ("shared", "recipe")} | {
        row.recipe: ("rows", place, "recipe") for place, row in enumerate(target.rows) if row.recipe
    }
    start = loaded.recipes[shared].start
    for name, place in named.items():
        recipe = loaded.recipes[name]
        if recipe.start is None:
            yield source.error(place, f"recipe '{name}' continues no other", "name one that has a `start`")
        elif loaded.recipes[recipe.start].start is not None:
            what = f"recipe '{name}' starts from '{recipe.start}', which itself continues another"
            yield source.error(place, what, "a run has two phases, a warm-up and what continues it")
        elif start is not None and recipe.start != start:
            what = f"recipe '{name}' starts from '{recipe.start}', the shared one from '{start}'"
            yield source.error(place, what, "rows are paired by the warm-up that they continue")


def _check_rankers(source: Source, loaded: LoadedTarget, target: Trained) -> Iterator[UserError]:
    """Check that a ranker is there where one is evaluated, and scores all that counts where it teaches."""
    for place, row in enumerate(target.rows):
        name = row.recipe or target.shared.recipe
        recipe = loaded.recipes[name]
        if row.evaluates == "ranker" and recipe.ranker is None:
            what = f"row '{row.name}' evaluates a ranker, its recipe '{name}' has none"
            yield source.error(("rows", place, "evaluates"), what, "name a recipe that has a `ranker`")
        topology = _topology(row)
        if make_loss(recipe.loss).needs_teacher and topology not in {None, "own"}:
            what = (
                f"topology '{topology}' does not fit recipe '{name}': its ranker scores own negatives alone"
            )
            fix = "choose `topology: own`, or a loss over labels alone"
            yield source.error(("rows", place, "sampler"), what, fix)


def _check_overrides(
    source: Source, loaded: LoadedTarget, target: Trained, scales: Mapping[str, Scale]
) -> Iterator[UserError]:
    """Check that what was tuned for a row is there to be set, and can be set so."""
    nowhere = CollectionSettings(kind="not-available", parameters={})
    for place, row in enumerate(target.rows):
        name = row.recipe or target.shared.recipe
        tuned = isinstance(row, Tuned) and row.overrides and row.sampler
        for scale in (scales[name] for name in target.scales if tuned):
            if loaded.recipes[name].ranker is not None and scale.ranker is None:
                continue  # told with the scale
            runs = Runs(scale, loaded.recipes, nowhere, ())
            try:
                row.tuned(runs.trained(name, Seeds(0, 0), row.sampler, target.shared))
            except PieceError as error:
                yield source.error(("rows", place, "overrides", *error.place), error.what, error.fix)


def _check_scales(
    source: Source, loaded: LoadedTarget, target: Trained, scales: Mapping[str, Scale]
) -> Iterator[UserError]:
    """Check that each scale has the ranker of the recipes, and a document tower that a queue lets learn."""
    taught = next((name for name, recipe in loaded.recipes.items() if recipe.ranker is not None), None)
    queued = next((row.name for row in target.rows if _topology(row) == "queue"), None)
    for place, name in enumerate(target.scales):
        if taught is not None and scales[name].ranker is None:
            what = f"scale '{name}' has no ranker, recipe '{taught}' has one"
            yield source.error(("scales", place), what, "add `ranker` to the scale, or leave the scale out")
        if queued is not None and scales[name].encoder.towers == "separate":
            what = f"row '{queued}' has a queue, scale '{name}' has separate towers"
            yield source.error(("scales", place), what, "a queue needs shared towers: leave the row out")


def _topology(row: Row) -> str | None:
    return None if row.sampler is None else make_topology(row.sampler.piece("topology")).name
