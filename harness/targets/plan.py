"""What `harness plan` says of a target: its runs, and the memory that they take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from harness.collections.checkpoint_place import found
from harness.collections.released import RELEASED, conversion
from harness.estimate.moments import CorpusSize, Machine
from harness.estimate.render import render_memory, states_line
from harness.records.environment import gpus, memory_bytes
from harness.retrieval.states import DONE
from harness.runs.missing import missing_parts
from harness.runs.stages import Stages
from harness.specs.collection_choice import NotAvailable
from harness.specs.fingerprints import states_fingerprint, states_read
from harness.specs.library import Library
from harness.specs.phase_numbers import KEYS, published, trains_at, used
from harness.specs.recipe import on_dataset
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import EvaluatedRun, RunSettings, TrainedRun, starts
from harness.specs.settings import CollectionSettings
from harness.specs.target import Trained, with_runs
from harness.targets.reproduce import WantedRun, look_up, resolve_at, wanted_runs
from harness.training.batches import labelled_pairs


@dataclass(frozen=True)
class Plan:
    """The runs of a target at a scale.

    Attributes:
        resolved: the target.
        runs: that it needs; looked up in the store where their collection is available.
        corpora: dataset -> sizes of its collection, the published ones where it is not available.
        states: what is said of the states that phases over a frozen encoder read, a line each.
    """

    resolved: Resolved
    runs: Sequence[WantedRun]
    corpora: Mapping[str, CorpusSize]
    states: Sequence[str]


def plan_at(
    library: Library, target: str, scale: str, stages: Stages, seeds: int | None, rows: Sequence[str]
) -> Plan:
    """Return what a target at a scale needs; without fingerprints where a collection is not available.

    Raises:
        UserError: no such row.
    """
    resolved = resolve(library, target, scale)
    collections = {name: resolved.collection(name) for name in resolved.target.datasets}
    if all(of.available for of in collections.values()):
        resolved = resolve_at(library, target, scale, stages)
    every = wanted_runs(resolved, seeds, rows)
    there = look_up([run for run in every if run.settings.collection.available], stages)
    looked_up = {run.key: run for run in there}
    runs = [looked_up.get(run.key, run) for run in every]
    corpora = {name: corpus_of(stages, of) for name, of in collections.items() if runs}
    return Plan(resolved, runs, corpora, _states(resolved, runs, corpora, stages))


def _states(
    resolved: Resolved, runs: Sequence[WantedRun], corpora: Mapping[str, CorpusSize], stages: Stages
) -> list[str]:
    """Return a line for each part of an encoder and dataset: what is encoded once, and is it there."""
    reading: dict[tuple[str, str], dict[str, TrainedRun]] = {}
    for run in runs:
        for settings in _over_states(run.settings):
            alike = reading.setdefault((run.dataset, states_read(settings) or ""), {})
            alike[_fingerprint(settings, stages)] = settings
    lines = []
    for (dataset, _), by_fingerprint in reading.items():
        states = [stages.store.states(fingerprint) for fingerprint in by_fingerprint if fingerprint]
        settings = next(iter(by_fingerprint.values()))
        done = sum((folder / DONE).exists() for folder in states)
        said = states_line(settings, corpora[dataset], resolved.scale.spec.published_sizes, len(states), done)
        lines.append(f"{dataset}: {said}" if len(corpora) > 1 else said)
    return lines


def _over_states(settings: RunSettings) -> Iterator[TrainedRun]:
    """Yield a run and those below it, as far as they are trained over the states of a frozen encoder."""
    for below in settings.below.values():
        yield from _over_states(below)
    if isinstance(settings, TrainedRun) and states_read(settings) is not None:
        yield settings


def _fingerprint(settings: TrainedRun, stages: Stages) -> str:
    """Return the fingerprint of the states that a run reads; empty where its collection is not available."""
    if not settings.collection.available:
        return ""
    return states_fingerprint(settings, stages.collections.get(settings.collection).fingerprint) or ""


def corpus_of(stages: Stages, settings: CollectionSettings) -> CorpusSize:
    """Return the sizes of a collection, the published ones where it is not available."""
    if settings.available:
        collection = stages.collections.get(settings)
        asked = {name: len(split.texts) for name, split in collection.queries.items()}
        documents, pairs = len(collection.documents), len(labelled_pairs(collection).pairs)
    else:
        sizes = settings.parameters
        asked = {name: int(size) for name, size in sizes.items() if name != "documents"}
        documents, pairs = int(sizes["documents"]), int(sizes["train"])  # one positive a query, at least
    queries = sum(asked.values())
    return CorpusSize(documents, pairs, queries, queries - asked.get("train", 0))


def not_here(resolved: Resolved, runs: Sequence[RunSettings]) -> list[str]:
    """Return what the runs of a target lack, a line each: data, checkpoints, and parts of the trainer."""
    lines = [*_of_datasets(resolved), *_of_starts(runs)]
    return list(dict.fromkeys([*lines, *(line for settings in runs for line in missing_parts(settings))]))


def _of_starts(runs: Sequence[RunSettings]) -> Iterator[str]:
    """Yield the released checkpoints that are not here, which no hub has, and what makes them."""
    for start in dict.fromkeys(start for settings in runs for start in sorted(starts(settings))):
        if start in RELEASED and found(start) is None:
            yield f"the checkpoint {start} below HARNESS_DATA; {conversion(start)}"


def _of_datasets(resolved: Resolved) -> Iterator[str]:
    """Yield what a target's datasets lack, a line each: collections, and what papers train from there."""
    scale = resolved.scale
    for name in resolved.target.datasets:
        dataset, own = resolved.loaded.datasets[name], scale.spec.datasets.get(name)
        choice = dataset.collections[scale.name]
        if isinstance(choice, NotAvailable):
            called = f" ({choice.id})" if choice.id else ""
            documents = f"{choice.published.documents:,} documents"
            yield f"{dataset.title}{called}, {documents}, which nothing here loads yet"
        if own is not None and own.lacks and isinstance(resolved.target, Trained):
            yield f"{dataset.title}: {own.lacks}"
    unavailable = [row for row in resolved.target.rows if row.kind == "unavailable"]
    if unavailable:
        why = f" ({unavailable[0].note.removesuffix('.')})" if unavailable[0].note else ""
        yield f"the data of {resolved.name}, {', '.join(row.name for row in unavailable)}{why}"


def render_phases(planned: Plan) -> Table:
    """Return the numbers of the phases that the runs stand on, published -> used."""
    resolved, scale = planned.resolved, planned.resolved.scale.spec
    datasets = resolved.target.datasets
    several = len(datasets) > 1
    on = ["dataset"] if several else []
    table = Table("phase", *on, "trains", "published -> used", box=None, pad_edge=False)
    named = {run.row for run in planned.runs}
    rows = [row for row in with_runs(resolved.target.rows) if row.name in named]
    phases = {name: phase for row in rows for name, phase in resolved.loaded.chain(row).items()}
    for name, phase in phases.items():
        for dataset in datasets:
            before, now = published(phase, dataset), used(scale, name, phase, dataset)
            pairs = {key: (before.of(key), now.of(key)) for key in KEYS}
            numbers = [f"{key} {_replaced(*pair)}" for key, pair in pairs.items() if pair != (None, None)]
            numbers += [f"from {start}" for start in (on_dataset(of, dataset) for of in phase.checkpoints)]
            trained = dict.fromkeys([phase.trains, trains_at(scale, name, phase)])
            table.add_row(name, *([dataset] if several else []), " -> ".join(trained), ", ".join(numbers))
    return table


def _replaced(published: float | None, used: float | None) -> str:
    """Return a published number and the one in its place; a dash stands for none."""
    before, now = ("–" if number is None else f"{number:g}" for number in (published, used))
    return before if before == now else f"{before} -> {now}"


def render_plan(planned: Plan, machine: Machine | None = None) -> Group:
    """Return runs, the numbers of their phases and memory for a terminal.

    Args:
        planned: the runs.
        machine: that memory is counted for; by default that of the scale's paper, or this one.
    """
    several = len(planned.resolved.target.datasets) > 1
    on = ["dataset"] if several else []
    table = Table(
        "row", *on, "seed", "state", "seconds", "fingerprint", "stands on", box=None, pad_edge=False
    )
    for run in planned.runs:
        entry, on = run.as_json(), [run.dataset] if several else []
        estimate = "?" if entry["estimate_s"] is None else f"{entry['estimate_s']:g}"
        needs = " ".join(entry["needs"])
        table.add_row(
            run.row, *on, str(run.seed), entry["state"], estimate, entry["fingerprint"] or "?", needs
        )
    evaluated = dict.fromkeys(
        f"{run.row}: the checkpoint {run.settings.checkpoint.start}, evaluated and not trained."
        for run in planned.runs
        if isinstance(run.settings, EvaluatedRun)
    )
    said = list(map(Text, evaluated))
    seen, scale = gpus(), planned.resolved.scale.spec
    machine = machine or Machine.of(scale.hardware, "cuda" if seen else "cpu")
    of_card = seen[0]["memory_bytes"] if seen else None
    memory = render_memory(
        [(run.settings, planned.corpora[run.dataset]) for run in planned.runs],
        scale.hardware,
        machine,
        of_card if machine.device == "cuda" else memory_bytes(),
        scale.published_sizes,
    )
    missing = not_here(planned.resolved, [run.settings for run in planned.runs])
    lines = [*said, *map(Text, planned.states), *(Text(f"missing: {line}") for line in missing)]
    return Group(table, Text(), *lines, *([Text()] if lines else []), render_phases(planned), Text(), memory)
