"""The terms of the estimate: parts of memory, moments of training, machines."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.specs.scale import Hardware


@dataclass(frozen=True)
class MemoryPart:
    """A part of memory.

    Attributes:
        name: name of the part, such as ``retriever: weights``.
        size: size of the part in bytes.
        detail: how the size is composed, in words.
    """

    name: str
    size: int
    detail: str


@dataclass(frozen=True)
class Moment:
    """A moment of training, with the parts of memory in use.

    Attributes:
        name: name of the moment, such as ``refresh``.
        models: parts of the models and their optimizers.
        working: further parts, in use at this moment only.
        host: whether the parts are in host memory instead of the device's.
    """

    name: str
    models: tuple[MemoryPart, ...]
    working: tuple[MemoryPart, ...]
    host: bool = False

    @property
    def size(self) -> int:
        """Sum of all parts in bytes."""
        return sum(part.size for part in (*self.models, *self.working))


@dataclass(frozen=True)
class CorpusSize:
    """The size of a collection.

    Attributes:
        documents: number of documents.
        pairs: number of (training query, positive) pairs.
        queries: number of queries of all splits.
        ranked: number of those that are not for training, for which documents are ranked.
    """

    documents: int
    pairs: int
    queries: int
    ranked: int = 0


@dataclass(frozen=True)
class Machine:
    """The distribution of a step's batch over devices.

    Attributes:
        device: kind of device, ``cpu`` or ``cuda``.
        gpus: number of processes that share a batch.
        queries: maximal number of queries that a process handles at once; by default its whole share.
        recomputes: whether layers store their inputs only and recompute the rest.
    """

    device: str = "cpu"
    gpus: int = 1
    queries: int | None = None
    recomputes: bool = False

    @staticmethod
    def of(hardware: Hardware) -> Machine:
        """Return the machine of a paper's hardware."""
        return Machine("cuda", hardware.gpus, hardware.queries_at_once, hardware.recomputes)

    def share(self, batch: int) -> int:
        """Return the number of queries of a batch that one process handles at once."""
        own = math.ceil(batch / self.gpus)
        return own if self.queries is None else min(own, self.queries)


def at_once_text(machines: Iterable[Machine]) -> str:
    """Return how many queries machines handle at once, in words; nothing where it is their whole share."""
    counts = sorted({machine.queries for machine in machines if machine.queries is not None})
    if not counts:
        return ""
    return f", {' or '.join(map(str, counts))} queries at once"


def largest(runs: Iterable[Iterable[Moment]]) -> list[Moment]:
    """Return the moments of several runs, each from the run in which it needs most memory."""
    by_name: dict[str, Moment] = {}
    for moment in (moment for run in runs for moment in run):
        if moment.name not in by_name or by_name[moment.name].size < moment.size:
            by_name[moment.name] = moment
    return list(by_name.values())
