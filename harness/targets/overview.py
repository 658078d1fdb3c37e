"""What several targets need together: runs to make, reused and shared, hours, memory, disk, downloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from harness.errors import HarnessError
from harness.estimate.disk import products, while_training
from harness.estimate.memory import Published, memory
from harness.estimate.moments import CorpusSize, Machine, largest
from harness.estimate.parameters import UnknownSizesError
from harness.estimate.work import work
from harness.runs.stages import Stages
from harness.specs.fingerprints import chain, settings_key
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import RunSettings
from harness.specs.scale import Scale
from harness.storage.files import read_json
from harness.targets.choice import Choice
from harness.targets.plan import corpus_of, not_here
from harness.targets.reproduce import durations, phases_of_run, resolve_at, wanted_runs
from harness.targets.several import keep_collections_of


@dataclass(frozen=True)
class NeededRun:
    """A run that a target needs, its own or one that its own start from.

    Attributes:
        settings: resolved.
        corpus: size of its collection.
        done: whether it is in the store.
        hours: that it is expected to take, of one GPU at a scale of a paper; none if that is not known.
    """

    settings: RunSettings
    corpus: CorpusSize
    done: bool
    hours: float | None


@dataclass(frozen=True)
class Needs:
    """What a target needs.

    Attributes:
        target: its name.
        call: the command that makes it, without `harness reproduce`.
        only: the rows that are named; all where none is.
        runs: name of a run -> the run, those that others start from first.
        rows: row -> the names of its own runs.
        shared: names of the runs that a target before it needs too.
        missing: collections that are not here, and parts that its runs need and the trainer lacks.
        problem: why it cannot be planned; none where it can.
    """

    target: str
    call: str = ""
    only: Sequence[str] = ()
    runs: Mapping[str, NeededRun] = field(default_factory=dict)
    rows: Mapping[str, Sequence[str]] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    missing: Sequence[str] = ()
    problem: str | None = None

    @property
    def done(self) -> int:
        """How many of its runs are in the store."""
        return sum(run.done for run in self.runs.values())

    @property
    def to_make(self) -> dict[str, NeededRun]:
        """The runs that would be made for it: not done, and of no target before it."""
        return {name: run for name, run in self.runs.items() if not run.done and name not in self.shared}


@dataclass(frozen=True)
class Cost:
    """What runs take that are to be made.

    Attributes:
        hours: of those whose hours are known; of one GPU at a scale of a paper.
        unknown: how many of them are not known.
        card: bytes of one device, at most; none where nothing trains, or sizes of a checkpoint are not known.
        host: bytes of a machine's memory at a refresh, at most; likewise.
        disk: bytes that they leave in the store, at most; likewise.
        meanwhile: bytes on disk that one of them needs while it trains, at most; likewise.
    """

    hours: float
    unknown: int
    card: int | None
    host: int | None
    disk: int | None
    meanwhile: int | None


@dataclass(frozen=True)
class Overview:
    """What targets need together.

    Attributes:
        choice: the targets.
        scale: their scale.
        needs: of each target, in turn.
        machine: that memory is counted for.
    """

    choice: Choice
    scale: Scale
    needs: Sequence[Needs]
    machine: Machine

    @property
    def to_make(self) -> dict[str, NeededRun]:
        """The runs that would be made, each once."""
        return {name: run for one in self.needs for name, run in one.to_make.items()}

    @property
    def missing(self) -> list[str]:
        """What is missing, a line each."""
        return list(dict.fromkeys(line for one in self.needs for line in one.missing))

    def cost(self, runs: Mapping[str, NeededRun], but: Mapping[str, NeededRun] | None = None) -> Cost:
        """Return what runs take that are to be made.

        Args:
            runs: name -> run.
            but: runs whose products are there already when these are made.
        """
        known = [run.hours for run in runs.values() if run.hours is not None]
        published = self.scale.published_sizes
        sizes: list[int | None] = [None] * 4
        with suppress(UnknownSizesError):
            moments = largest(memory(of.settings, of.corpus, self.machine, published) for of in runs.values())
            before = _products(but or {}, published)
            left = _products(runs, published)
            sizes = [
                max((moment.size for moment in moments if not moment.host), default=None),
                max((moment.size for moment in moments if moment.host), default=None),
                sum(size for name, size in left.items() if name not in before),
                max((while_training(of.settings, of.corpus, published) for of in runs.values()), default=0),
            ]
        return Cost(sum(known), len(runs) - len(known), *sizes)


def overview(
    library: Library,
    choice: Choice,
    scale: str,
    stages: Stages,
    committed: Path,
    seeds: int | None = None,
    rows: Sequence[str] = (),
    machine: Machine | None = None,
) -> Overview:
    """Return what targets need; nothing is made but collections that are available.

    Args:
        library: the specs.
        choice: the targets, in turn.
        scale: name of the scale.
        stages: knows the store.
        committed: root of results whose runs tell how long they took.
        seeds: how many seeds; the number of each spec by default.
        rows: only these rows; all by default.
        machine: that memory is counted for; by default that of the scale's paper, or one process.
    """
    known = _Seconds(durations(stages.store), _committed(committed / scale))
    needs: list[Needs] = []
    for target in choice.targets:
        before = frozenset(name for one in needs for name in one.runs)
        try:
            needs.append(_needs(library, target, scale, stages, known, seeds, rows, before))
        except HarnessError as error:
            needs.append(Needs(target, problem="; ".join(str(error).splitlines())))
    spec = library.scale(scale)
    return Overview(choice, spec, needs, machine or Machine.of(spec.hardware))


def _needs(
    library: Library,
    target: str,
    scale: str,
    stages: Stages,
    known: _Seconds,
    seeds: int | None,
    rows: Sequence[str],
    before: frozenset[str],
) -> Needs:
    resolved = resolve(library, target, scale)
    keep_collections_of(resolved, stages)
    choices = {name: resolved.collection(name) for name in resolved.target.datasets}
    if all(of.available for of in choices.values()):
        resolved = resolve_at(library, target, scale, stages)
    wanted = wanted_runs(resolved, seeds, rows)
    corpora = {name: corpus_of(stages, choices[name]) for name in {run.dataset for run in wanted}}
    runs: dict[str, NeededRun] = {}
    by_row: dict[str, list[str]] = {}
    for run in wanted:
        on = resolved.scale.spec.on(run.dataset)
        for settings in _with_below(run.settings):
            name = _name(settings, stages)
            if name not in runs:
                done = (stages.store.run(name) / "done.json").exists()
                hours = known.hours(name, settings, corpora[run.dataset], on)
                runs[name] = NeededRun(settings, corpora[run.dataset], done, hours)
        by_row.setdefault(run.row, []).append(_name(run.settings, stages))
    missing = not_here(resolved, [run.settings for run in wanted])
    shared = before & runs.keys()
    call = resolved.call + (f" --seeds {seeds}" if seeds else "")
    return Needs(target, call, rows, runs, by_row, shared, missing)


def _with_below(settings: RunSettings) -> Iterator[RunSettings]:
    """Yield the runs below a run, then the run."""
    for below in settings.below.values():
        yield from _with_below(below)
    yield settings


def _name(settings: RunSettings, stages: Stages) -> str:
    """Return the fingerprint of a run, or, where its collection is not here, a name for its settings."""
    if not settings.collection.available:
        return settings_key(settings)
    return chain(settings, stages.collections.get(settings.collection).fingerprint).last


@dataclass(frozen=True)
class _Seconds:
    """What is known of how long runs take.

    Attributes:
        alike: phases of a run -> seconds of such runs in the store.
        same: fingerprint -> seconds of a committed run.
    """

    alike: Mapping[str, Sequence[float]]
    same: Mapping[str, float]

    def hours(self, name: str, settings: RunSettings, corpus: CorpusSize, scale: Scale) -> float | None:
        """Return the hours of a run: of such runs in the store, as it was committed, or by its operations."""
        alike = self.alike.get(phases_of_run(settings.model_dump(mode="json")))
        seconds = median(alike) if alike else self.same.get(name)
        if seconds is not None:
            return seconds / 3600
        hardware = scale.hardware
        if hardware is None or hardware.teraflops is None:
            return None
        with suppress(UnknownSizesError):
            return work(settings, corpus, hardware, scale.published_sizes).gpu_hours(hardware.teraflops)
        return None


def _committed(results: Path) -> dict[str, float]:
    """Return the seconds of committed runs, by fingerprint."""
    seconds: dict[str, float] = {}
    for path in sorted(results.glob("*/*/provenance.json")):
        with suppress(HarnessError, OSError, ValueError):
            written: dict[str, Any] = read_json(path)
            for entry in (*written.get("runs_below", ()), *written.get("runs", ())):
                if isinstance(entry.get("seconds"), float | int):
                    seconds[str(entry["fingerprint"])] = float(entry["seconds"])
    return seconds


def _products(runs: Mapping[str, NeededRun], published: Published) -> dict[str, int]:
    """Return what runs leave in a store, by name."""
    return {name: size for of in runs.values() for name, size in products(of.settings, of.corpus, published)}
