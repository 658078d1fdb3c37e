"""What the estimate speaks of: parts of memory, moments of training, and machines."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.specs.parts import Hardware


@dataclass(frozen=True)
class MemoryPart:
    """Something that takes memory.

    Attributes:
        name: what.
        size: bytes.
        detail: what it is made of.
    """

    name: str
    size: int
    detail: str


@dataclass(frozen=True)
class Moment:
    """A time of training, and what lives then.

    Attributes:
        name: when.
        models: models and their optimizers.
        working: what this moment needs beside them.
        host: whether it lies in host memory, and not where it is computed.
    """

    name: str
    models: tuple[MemoryPart, ...]
    working: tuple[MemoryPart, ...]
    host: bool = False

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in (*self.models, *self.working))


@dataclass(frozen=True)
class CorpusSize:
    """What of a collection decides memory: its documents, and its pairs of training query and positive."""

    documents: int
    pairs: int


@dataclass(frozen=True)
class Machine:
    """How a step's batch is spread.

    Attributes:
        device: cpu or cuda.
        gpus: processes that share a batch.
        queries: of a batch that one of them takes at once, at most; all by default.
        recomputes: whether layers keep their inputs alone.
    """

    device: str = "cpu"
    gpus: int = 1
    queries: int | None = None
    recomputes: bool = False

    @staticmethod
    def of(hardware: Hardware) -> Machine:
        """Return what a paper trained on."""
        return Machine("cuda", hardware.gpus, hardware.queries_at_once, hardware.recomputes)

    def share(self, batch: int) -> int:
        """Return the queries of a batch that one process takes at once."""
        own = math.ceil(batch / self.gpus)
        return own if self.queries is None else min(own, self.queries)


def largest(runs: Iterable[Iterable[Moment]]) -> list[Moment]:
    """Return the moments of several runs, each of the run in which it takes most."""
    by_name: dict[str, Moment] = {}
    for moment in (moment for run in runs for moment in run):
        if moment.name not in by_name or by_name[moment.name].size < moment.size:
            by_name[moment.name] = moment
    return list(by_name.values())
