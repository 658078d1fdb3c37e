"""The terms of the estimate: parts of memory, moments of training, machines."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.estimate.activations import BatchShape
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
    """By what a run is computed: the processes that share its steps, and what they keep.

    Attributes:
        device: kind of device, ``cpu`` or ``cuda``.
        ranks: number of processes, each with a device of its own.
        recompute: whether what leads to a bucket's vectors is computed twice, and not kept meanwhile.
    """

    device: str = "cpu"
    ranks: int = 1
    recompute: bool = False

    @staticmethod
    def of(hardware: Hardware | None, device: str = "cpu") -> Machine:
        """Return what a paper trained on, or else one process on a device."""
        return Machine("cuda", hardware.gpus, hardware.recomputes) if hardware else Machine(device)

    @property
    def kept(self) -> str:
        """What processes keep, as the option of a command."""
        return "with --recompute" if self.recompute else "without --recompute"

    def share(self, batch: BatchShape, places: int) -> BatchShape:
        """Return the part of a batch whose buckets the busiest process computes.

        Args:
            batch: all sequences, as if each were the longest.
            places: of a bucket.
        """
        bucket = batch.part(places).sequences
        buckets = math.ceil(math.ceil(batch.sequences / bucket) / self.ranks)
        return BatchShape(min(batch.sequences, buckets * bucket), batch.tokens)


def largest(runs: Iterable[Iterable[Moment]]) -> list[Moment]:
    """Return the moments of several runs, each from the run in which it needs most memory."""
    by_name: dict[str, Moment] = {}
    for moment in (moment for run in runs for moment in run):
        if moment.name not in by_name or by_name[moment.name].size < moment.size:
            by_name[moment.name] = moment
    return list(by_name.values())
