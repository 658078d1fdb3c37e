"""Rendering of the estimate: a table of parts, and the largest moments beside the machine's memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Group
from rich.table import Table
from rich.text import Text

from harness.estimate.memory import Published, memory
from harness.estimate.moments import CorpusSize, Machine, MemoryPart, Moment, largest
from harness.estimate.parameters import UnknownSizesError
from harness.estimate.states import states_size
from harness.specs.fingerprints import states_read
from harness.specs.run_settings import RunSettings, TrainedRun
from harness.specs.scale import Hardware

GB = 1_000_000_000


def render_memory(
    runs: Sequence[tuple[RunSettings, CorpusSize]],
    hardware: Hardware | None,
    machine: Machine,
    has: int | None,
    published: Published,
) -> Group:
    """Return the output of `harness plan` on memory; empty if no run trains.

    Args:
        runs: of a target, with the sizes of their collections.
        hardware: what the scale's paper trained on, where it is one of a paper.
        machine: that the runs are planned for.
        has: bytes of a device of this one; none where it has no such device.
        published: sizes of checkpoints that may not be on this machine.
    """
    try:
        return _rendered(runs, hardware, machine, has, published)
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
    runs: Sequence[tuple[RunSettings, CorpusSize]],
    hardware: Hardware | None,
    machine: Machine,
    has: int | None,
    published: Published,
) -> Group:
    def on(another: Machine) -> list[Moment]:
        return largest(memory(run, corpus, another, published) for run, corpus in runs)

    moments = on(machine)
    if not moments:
        return Group()
    if hardware is None:
        return Group(_table(moments), Text(_of_here(moments, machine, has)))
    others = [replace(machine, recompute=not machine.recompute)]
    others += [replace(machine, ranks=1, recompute=True)] if machine.ranks > 1 else []
    lines = [_of_card(moments, machine, hardware)]
    lines += [f"{_means(other)}: {_most_text(on(other))}." for other in others]
    return Group(_table(moments), *map(Text, lines))


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


def _of_card(moments: Sequence[Moment], machine: Machine, hardware: Hardware) -> str:
    most = _largest(moments).size
    sizes = " or ".join(f"{size} GB" for size in hardware.memory_gb)
    fits = [size for size in hardware.memory_gb if most <= size * GB]
    verdict = f"fits {fits[0]} GB" if fits else "fits none"
    card = f"one of {machine.ranks}" if machine.ranks > 1 else "one"
    of = f"{card} {hardware.gpu} ({sizes}), {machine.kept}"
    return f"Memory of {of}: {_most_text(moments)}; {verdict}."


def _of_here(moments: Sequence[Moment], machine: Machine, has: int | None) -> str:
    most = max(moments, key=lambda moment: moment.size)
    each = f" of each of {machine.ranks} processes" if machine.ranks > 1 else ""
    here, of_all = ("this machine", " for all") if machine.device == "cpu" else ("a card here", "")
    there = f"; {here} has {_gb(has)} GB{of_all if each else ''}" if has else ""
    size = f"{_gb(most.size)} GB at most, {most.name}"
    return f"Memory{each}: {size}, not counting Python and its libraries{there}."


def _means(machine: Machine) -> str:
    """Return by what runs are computed, in words."""
    return f"On {machine.ranks} GPU{'s' if machine.ranks > 1 else ''}, {machine.kept}"


def _most_text(moments: Sequence[Moment]) -> str:
    most = _largest(moments)
    return f"{_gb(most.size)} GB at most, {most.name}"


def _largest(moments: Sequence[Moment]) -> Moment:
    """Return the moment that needs most memory on the device."""
    return max((moment for moment in moments if not moment.host), key=lambda moment: moment.size)


def _gb(size: int) -> str:
    """Return bytes as GB (10^9 bytes), with three significant digits."""
    return f"{size / GB:.3g}" if size < 100 * GB else f"{size / GB:,.0f}"
