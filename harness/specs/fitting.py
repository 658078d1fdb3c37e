"""Whether a target fits the files that it names: its recipes, datasets and scales, its paper's register."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.errors import UserError, nearest
from harness.pieces import PieceError
from harness.specs.confirmation import Tuned
from harness.specs.loaded import LoadedTarget
from harness.specs.models import Row, Trained
from harness.specs.parts import Scale
from harness.specs.runs import Runs, Seeds
from harness.specs.settings import CollectionSettings
from harness.specs.yaml_file import Source
from harness.training.losses.registry import make_loss
from harness.training.topologies.registry import make_topology
from harness.training.topologies.topology import Topology


def check_fit(source: Source, loaded: LoadedTarget, scales: Mapping[str, Scale]) -> Iterator[UserError]:
    """Yield what does not fit.

    Args:
        source: the target's file, whose places the errors name.
        loaded: the target, sound by itself, with what it names.
        scales: by name, all those of the target.
    """
    yield from _check_notes(source, loaded)
    yield from _check_collections(source, loaded)
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
        if make_loss(recipe.loss).needs_teacher and topology is not None and not topology.own_only:
            what = (
                f"topology '{topology.name}' does not fit recipe '{name}': "
                "its ranker scores own negatives alone"
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
    """Check that each scale has the ranker of the recipes, and towers in which each topology can learn."""
    taught = next((name for name, recipe in loaded.recipes.items() if recipe.ranker is not None), None)
    sharing = next(_needing_shared_towers(target.rows), None)
    for place, name in enumerate(target.scales):
        if taught is not None and scales[name].ranker is None:
            what = f"scale '{name}' has no ranker, recipe '{taught}' has one"
            yield source.error(("scales", place), what, "add `ranker` to the scale, or leave the scale out")
        if sharing is not None and scales[name].encoder.towers == "separate":
            row, topology = sharing
            what = f"row '{row}' has a {topology}, scale '{name}' has separate towers"
            fix = f"a {topology} needs shared towers: leave the row out"
            yield source.error(("scales", place), what, fix)


def _needing_shared_towers(rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """Yield (row, topology) by name of the rows whose topology needs shared towers."""
    for row in rows:
        topology = _topology(row)
        if topology is not None and topology.needs_shared_towers:
            yield row.name, topology.name


def _topology(row: Row) -> Topology | None:
    return None if row.sampler is None else make_topology(row.sampler.piece("topology"))
