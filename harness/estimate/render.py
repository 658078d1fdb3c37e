"""Rendering of the estimate: a table of parts, and the largest moments beside the machine's memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Group
from rich.table import Table
from rich.text import Text

from harness.estimate.memory import Published, memory
from harness.estimate.moments import CorpusSize, Machine, MemoryPart, Moment, at_once_text, largest
from harness.estimate.parameters import UnknownSizesError
from harness.estimate.states import states_size
from harness.specs.fingerprints import states_read
from harness.specs.run_settings import RunSettings, TrainedRun
from harness.specs.scale import Hardware

GB = 1_000_000_000


def render_memory(
    runs: Sequence[tuple[RunSettings, CorpusSize, Machine]],
    hardware: Hardware | None,
    here: Machine,
    has: int | None,
    published: Published,
) -> Group:
    """Return the output of `harness plan` on memory; empty if no run trains.

    Args:
        runs: of a target, with the sizes of their collections and the machines that they are planned for.
        hardware: what the scale's paper trained on, where it is one of a paper.
        here: this machine, which takes a batch in one process.
        has: bytes that it has.
        published: sizes of checkpoints that may not be on this machine.
    """
    try:
        return _rendered(runs, hardware, here, has, published)
    except UnknownSizesError as error:
        what = f"the sizes of '{error.start}' are not known before it is on this machine"
        return Group(Text(f"Memory: not known; {what}."))


def states_line(run: TrainedRun, corpus: CorpusSize, published: Published, encoders: int, done: int) -> str:
    """Return what `harness plan` says of the states that a run reads.

    Args:
        run: whose phase trains a part of an encoder, or a ranker over one.
        corpus: size of its collection.
        published: sizes of checkpoints that may not be on this machine.
        encoders: how many frozen encoders runs of a target have there; none where it has no collection.
        done: of how many the states are in the store.
    """
    there = f"{done} of {encoders} done" if encoders > 1 else "done" if done else "not done yet"
    reader = states_read(run)
    above = "a late interaction" if reader == "late-interaction" else f"a trained {reader}"
    begin = f"Frozen encoder{'s' if encoders > 1 else ''} below {above}"
    once = f"encoded once{' by each' if encoders > 1 else ''} ({there})"
    try:
        states = states_size(run, corpus, published)
    except UnknownSizesError:
        return f"{begin}: texts are {once}."
    texts = f"{states.documents:,} documents" + (f" and {states.queries:,} queries" if states.queries else "")
    most = "at most " if states.at_most else ""
    size = f"{most}{_gb(max(encoders, 1) * states.size)} GB on disk, {states.detail}, memory-mapped"
    return f"{begin}: {texts} are {once}; {size}."


def _rendered(
    runs: Sequence[tuple[RunSettings, CorpusSize, Machine]],
    hardware: Hardware | None,
    here: Machine,
    has: int | None,
    published: Published,
) -> Group:
    moments = _moments(runs, published)
    if not moments:
        return Group()
    if hardware is None:
        return Group(_table(moments), Text(_of_here(moments, has)))
    stored = _moments([(run, corpus, replace(on, recomputes=False)) for run, corpus, on in runs], published)
    own = _moments([(run, corpus, here) for run, corpus, _ in runs], published)
    at_once = at_once_text(on for run, _, on in runs if isinstance(run, TrainedRun))
    lines = _of_paper(moments, stored, own, hardware, at_once)
    return Group(_table(moments), *(Text(line) for line in lines))


def _moments(runs: Sequence[tuple[RunSettings, CorpusSize, Machine]], published: Published) -> list[Moment]:
    return largest(memory(run, corpus, on, published) for run, corpus, on in runs)


def _table(moments: Sequence[Moment]) -> Table:
    table = Table("when", "memory of", "GB", "made of", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    model_parts = {part.name: part for moment in moments for part in moment.models}
    for place, part in enumerate(model_parts.values()):
        table.add_row("" if place else "models", part.name, _gb(part.size), part.detail)
    for moment in moments:
        rows = [*_models(moment), *moment.working, MemoryPart("sum", moment.size, "")]
        for place, part in enumerate(rows):
            table.add_row("" if place else moment.name, part.name, _gb(part.size), part.detail)
    return table


def _models(moment: Moment) -> Iterator[MemoryPart]:
    """Yield the models' parts as one part, such as ``retriever: weights; ranker: weights, gradients``."""
    if not moment.models:
        return
    by_model: dict[str, list[str]] = {}
    for part in moment.models:
        model, _, what = part.name.partition(": ")
        by_model.setdefault(model, []).append(what)
    named = "; ".join(f"{model}: {', '.join(parts)}" for model, parts in by_model.items())
    yield MemoryPart("models", sum(part.size for part in moment.models), named)


def _of_paper(
    moments: Sequence[Moment],
    stored: Sequence[Moment],
    here_moments: Sequence[Moment],
    hardware: Hardware,
    at_once: str,
) -> Iterator[str]:
    most, before = _largest(moments), _largest(stored)
    sizes = " or ".join(f"{size} GB" for size in hardware.memory_gb)
    fits = [size for size in hardware.memory_gb if most.size <= size * GB]
    verdict = f"fits {fits[0]} GB" if fits else "fits none"
    gpu = f"one of {hardware.gpus} {hardware.gpu} ({sizes})"
    yield f"Memory of {gpu}{at_once}: {_gb(most.size)} GB at most, {most.name}; {verdict}."
    yield f"Without recomputation: {_gb(before.size)} GB, {before.name}."
    here = _largest(here_moments)
    yield f"The trainer here (one process, no recomputation): {_gb(here.size)} GB, {here.name}."


def _of_here(moments: Sequence[Moment], has: int | None) -> str:
    most = max(moments, key=lambda moment: moment.size)
    machine = f"; this machine has {_gb(has)} GB" if has else ""
    return (
        f"Memory: {_gb(most.size)} GB at most, {most.name}, not counting Python and its libraries{machine}."
    )


def _largest(moments: Sequence[Moment]) -> Moment:
    """Return the moment that needs most memory on the device."""
    return max((moment for moment in moments if not moment.host), key=lambda moment: moment.size)


def _gb(size: int) -> str:
    """Return bytes as GB (10^9 bytes), with three significant digits."""
    return f"{size / GB:.3g}" if size < 100 * GB else f"{size / GB:,.0f}"
