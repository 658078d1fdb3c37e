"""Whether a target fits the files that it names: its recipes, datasets and scales, its paper's register."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.errors import UserError, nearest
from harness.specs.as_published import as_published
from harness.specs.kinds.registry import KINDS
from harness.specs.loaded import LoadedTarget
from harness.specs.measure_checks import check_measures
from harness.specs.phase_numbers import lacking_error
from harness.specs.recipe import phases_of
from harness.specs.scale import Scale
from harness.specs.target import Measured, Row, Trained
from harness.specs.yaml_file import Location, YamlFile
from harness.training.losses.registry import make_loss
from harness.training.topologies.registry import make_topology
from harness.training.topologies.topology import Topology


def check_fit(yaml_file: YamlFile, loaded: LoadedTarget, scales: Mapping[str, Scale]) -> Iterator[UserError]:
    """Yield what does not fit.

    Args:
        yaml_file: the target's file, whose places the errors name.
        loaded: the target, sound by itself, with what it names.
        scales: by name, all those of the target.
    """
    yield from _check_notes(yaml_file, loaded)
    yield from _check_collections(yaml_file, loaded)
    yield from _check_titles(yaml_file, loaded)
    if not isinstance(loaded.target, Trained):
        return
    errors = [*_check_phases(yaml_file, loaded), *_check_candidates(yaml_file, loaded.target)]
    errors += _check_published(yaml_file, loaded)
    errors = errors or _check_recipes(yaml_file, loaded, scales, as_printed=False)
    if not errors and any(scale.as_published for scale in scales.values()):
        errors = _check_recipes(yaml_file, as_published(loaded), scales, as_printed=True)
    yield from errors


def _check_recipes(
    yaml_file: YamlFile, loaded: LoadedTarget, scales: Mapping[str, Scale], *, as_printed: bool
) -> list[UserError]:
    """Return what does not fit the recipes of a target, or those of its paper.

    Args:
        yaml_file: the target's file.
        loaded: the target, with the recipes that are trained.
        scales: by name, all those of the target.
        as_printed: whether these recipes are for scales that train as published, or for all others.
    """
    target, own = loaded.trained, {name: of for name, of in scales.items() if of.as_published == as_printed}
    errors = [*_check_samplers(yaml_file, loaded, target), *_check_rankers(yaml_file, loaded, target)]
    if not errors:
        errors += _check_draws(yaml_file, loaded, target)
        errors += _check_scales(yaml_file, loaded, target, own)
        errors += check_measures(yaml_file, loaded, scales)
        errors += KINDS[target.kind].fit(yaml_file, loaded, scales)
    return errors


def _check_published(yaml_file: YamlFile, loaded: LoadedTarget) -> Iterator[UserError]:
    """Check that what rows are trained with as published is of the target's datasets."""
    known = loaded.target.datasets
    for place, row in loaded.made_rows():
        for name in (name for name in row.published_sampler if name not in known):
            what = f"the target has no dataset '{name}'"
            yield yaml_file.error(("rows", place, "published_sampler", name), what, nearest(name, known))


def _check_notes(yaml_file: YamlFile, loaded: LoadedTarget) -> Iterator[UserError]:
    known = [note.id for note in loaded.paper.notes]
    for place, note in enumerate(loaded.target.notes):
        if note not in known:
            fix = nearest(note, known) or "the register is empty"
            yield yaml_file.error(("notes", place), f"the paper's register has no note '{note}'", fix)


def _check_collections(yaml_file: YamlFile, loaded: LoadedTarget) -> Iterator[UserError]:
    for place, scale in enumerate(loaded.target.scales):
        for name, dataset in loaded.datasets.items():
            if scale not in dataset.collections:
                what = f"dataset '{name}' has no collection at scale '{scale}'"
                yield yaml_file.error(("scales", place), what, nearest(scale, dataset.collections))


def _check_titles(yaml_file: YamlFile, loaded: LoadedTarget) -> Iterator[UserError]:
    """Check that titles tell several datasets apart, and that the primary column is called by one."""
    target = loaded.target
    if not isinstance(target, Measured) or len(target.datasets) == 1:
        return
    titles = [loaded.datasets[name].title for name in target.datasets]
    if len(set(titles)) < len(titles):
        fix = "give each a `title` of its own, in experiments/datasets/"
        yield yaml_file.error(("columns",), f"datasets of one title: {', '.join(target.datasets)}", fix)
    labels = [loaded.label(column) for column in target.columns]
    if target.primary not in labels:
        yield yaml_file.error(
            ("primary",), f"unknown column '{target.primary}'", nearest(target.primary, labels)
        )


def _check_phases(yaml_file: YamlFile, loaded: LoadedTarget) -> Iterator[UserError]:
    """Check that the phases that reference rows evaluate exist."""
    known = phases_of(loaded.recipes)
    for place, row in loaded.made_rows():
        if row.phase is not None and row.phase not in known:
            what = f"unknown phase '{row.phase}'"
            yield yaml_file.error(("rows", place, "evaluates"), what, nearest(row.phase, known))


def _check_candidates(yaml_file: YamlFile, target: Trained) -> Iterator[UserError]:
    """Check that K by dataset is of the target's datasets, each of them."""
    given, here = target.shared.candidates, ("shared", "candidates")
    if isinstance(given, int):
        return
    for name in (name for name in given if name not in target.datasets):
        what = f"the target has no dataset '{name}'"
        yield yaml_file.error((*here, name), what, nearest(name, target.datasets))
    for name in (name for name in target.datasets if name not in given):
        yield yaml_file.error(here, f"no K on dataset '{name}'", "add it")


def _check_samplers(yaml_file: YamlFile, loaded: LoadedTarget, target: Trained) -> Iterator[UserError]:
    """Check that a row names a sampler where a phase of its recipe draws by it, and only there."""
    for place, row in loaded.made_rows():
        name = row.recipe or target.shared.recipe
        drawing = [key for key, phase in loaded.chain(row).items() if phase.own is None]
        if drawing and row.phase is not None:
            stands = "" if row.phase in drawing else f"stands on '{drawing[0]}', which "
            what = (
                f"phase '{row.phase}' {stands}draws by a row's sampler, which a reference row does not have"
            )
            yield yaml_file.error(("rows", place, "evaluates"), what, "evaluate a phase before it")
        elif drawing and row.sampler is None:
            what = f"row '{row.name}' has no sampler"
            yield yaml_file.error(("rows", place), what, "name a preset, or in-batch")
        elif not drawing and row.sampler is not None:
            what = f"recipe '{name}' has negatives of its own, and no use for a row's sampler"
            fix = f"remove it, or write `negatives: row` in a phase of recipes/{name}.yaml"
            yield yaml_file.error(("rows", place, "sampler"), what, fix)


def _check_rankers(yaml_file: YamlFile, loaded: LoadedTarget, target: Trained) -> Iterator[UserError]:
    """Check that a ranker scores all that counts where it teaches."""
    for place, row in loaded.made_rows():
        name = row.recipe or target.shared.recipe
        phase, topology = loaded.recipes[name].last, _topology(row)
        taught = phase.own is None and make_loss(phase.loss).needs_teacher
        if taught and topology is not None and not topology.own_only:
            what = (
                f"topology '{topology.name}' does not fit recipe '{name}': "
                "its ranker scores own negatives alone"
            )
            fix = "choose `topology: own`, or a loss over labels alone"
            yield yaml_file.error(("rows", place, "sampler"), what, fix)


def _check_draws(yaml_file: YamlFile, loaded: LoadedTarget, target: Trained) -> Iterator[UserError]:
    """Check that no phase of a row draws more negatives than it has candidates."""
    for place, row in loaded.made_rows():
        under = row.under(target.shared)
        here: Location = ("shared", "negatives") if under == target.shared else ("rows", place)
        for name, phase in loaded.chain(row).items():
            own, sampler = phase.own, phase.own.sampler if phase.own else row.sampler
            k = (own.candidates if own else None) or min(map(under.candidates_on, target.datasets))
            n = (own.negatives if own else None) or under.negatives
            if sampler is not None and sampler.draws and n > k:
                what = f"phase '{name}' of row '{row.name}' draws {n} negatives of {k} candidates"
                yield yaml_file.error(here, what, "raise `candidates`, or lower `negatives`")


def _check_scales(
    yaml_file: YamlFile, loaded: LoadedTarget, target: Trained, scales: Mapping[str, Scale]
) -> Iterator[UserError]:
    """Check that each scale has what the phases need: numbers, a ranker, towers in which all can learn."""
    phases = {name: phase for _, row in loaded.made_rows() for name, phase in loaded.chain(row).items()}
    ranking = next((name for name, of in phases.items() if of.trains == "ranker" or of.ranker), None)
    sharing = next(_needing_shared_towers(row for _, row in loaded.made_rows()), None)
    for place, name in enumerate(target.scales):
        if name not in scales:
            continue
        scale = scales[name]
        on = {dataset: scale.on(dataset) for dataset in target.datasets}
        if ranking is not None and any(of.ranker is None for of in on.values()):
            what = f"scale '{name}' has no ranker, phase '{ranking}' has one"
            yield yaml_file.error(
                ("scales", place), what, "add `ranker` to the scale, or leave the scale out"
            )
        if sharing is not None and any(of.encoder.towers == "separate" for of in on.values()):
            row, topology = sharing
            what = f"row '{row}' has a {topology}, scale '{name}' has separate towers"
            fix = f"a {topology} needs shared towers: leave the row out"
            yield yaml_file.error(("scales", place), what, fix)
        for dataset in target.datasets:
            for phase_name, phase in phases.items():
                error = lacking_error(scale, name, phase_name, phase, dataset)
                if error is not None:
                    yield yaml_file.error(("scales", place), *error)


def _needing_shared_towers(rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """Yield (row, topology) by name of the rows whose topology needs shared towers."""
    for row in rows:
        topology = _topology(row)
        if topology is not None and topology.needs_shared_towers:
            yield row.name, topology.name


def _topology(row: Row) -> Topology | None:
    return None if row.sampler is None else make_topology(row.sampler.piece("topology"))
