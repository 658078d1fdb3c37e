"""How the processes of a command work together: rank 0 leads and makes runs as one process does.

The others follow: they train and embed with it. All else, and all writing, is done by rank 0 alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import torch

from harness.errors import HarnessError, RunError, first_line
from harness.records.unwritten import UnwrittenFolder
from harness.retrieval.encode import Embedded, Reader
from harness.retrieval.ranks import Ranks
from harness.specs.run_settings import EvaluatedRun, RankerRun, TrainedRun

if TYPE_CHECKING:
    from harness.runs.stages import Stages


@dataclass(frozen=True)
class SharedPhase:
    """What rank 0 tells the others to train with it; what the run stands on is in the store.

    Attributes:
        settings: of the run.
        threads: of each process.
    """

    settings: TrainedRun
    threads: int


@dataclass(frozen=True)
class SharedReader:
    """What rank 0 tells the others to embed by, with it.

    Attributes:
        settings: of the run.
        at: whether as its phase begins, or as it ends.
        threads: of each process.
    """

    settings: TrainedRun | EvaluatedRun
    at: Literal["start", "end"]
    threads: int


Message = SharedPhase | SharedReader | Embedded | None
"""What rank 0 tells the others; none where there is no more."""


@contextmanager
def training_together(ranks: Ranks, settings: TrainedRun) -> Iterator[None]:
    """Within the block, train with the other ranks.

    Raises:
        HarnessError: this rank is out of memory; the others cannot go on with it to another run.
    """
    with _together(ranks, SharedPhase(settings, torch.get_num_threads())):
        yield


@contextmanager
def reading_together(
    ranks: Ranks, reader: Reader, settings: TrainedRun | EvaluatedRun, at: Literal["start", "end"]
) -> Iterator[Reader]:
    """Within the block, embed with the other ranks by the reader that is yielded.

    Args:
        ranks: of this command.
        reader: of this rank; the others open theirs from the store.
        settings: of the run that it is of.
        at: whether as its phase begins, or as it ends.

    Raises:
        HarnessError: this rank is out of memory; the others cannot go on with it to another run.
    """
    with _together(ranks, SharedReader(settings, at, torch.get_num_threads())):
        yield replace(reader, ranks=ranks)


@contextmanager
def _together(ranks: Ranks, message: Message) -> Iterator[None]:
    if ranks.count == 1:
        yield
        return
    ranks.told(message)
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise HarnessError(f"rank {ranks.number}: {first_line(error)}") from error


@contextmanager
def led(stages: Stages) -> Iterator[Stages | None]:
    """Yield the stages to rank 0, whom the others follow until the block ends; None to them."""
    ranks = stages.means.ranks
    if not ranks.first:
        follow(stages)
        yield None
        return
    yield stages
    ranks.told(None)


def follow(stages: Stages) -> None:
    """Train and embed what rank 0 does, with it, until it says that there is no more."""
    reader, message = None, _heard(stages)
    while message is not None:
        with suppress(RunError):  # which rank 0 meets too, and goes on to another run
            if isinstance(message, Embedded):
                _embed(reader, message)
            else:
                reader = None
                _prepare(stages, message)
                reader = _reader(stages, message) if isinstance(message, SharedReader) else None
                if isinstance(message, SharedPhase):
                    _train(stages, message.settings)
        message = _heard(stages)


def _heard(stages: Stages) -> Message:
    nothing: Message = None
    return stages.means.ranks.told(nothing)


def _embed(reader: Reader | None, what: Embedded) -> None:
    if reader is None:
        raise HarnessError("rank 0 embeds, and this rank has no reader")
    reader.embed(what)


def _prepare(stages: Stages, message: SharedPhase | SharedReader) -> None:
    """Take the leader's threads, and forget the collections of other runs."""
    torch.set_num_threads(message.threads)
    below = message.settings.below.values()
    stages.collections.keep_only(run.collection for run in (message.settings, *below))


def _reader(stages: Stages, message: SharedReader) -> Reader:
    reader = stages.reader_at(message.settings, message.at)
    return replace(reader, ranks=stages.means.ranks)


def _train(stages: Stages, settings: TrainedRun) -> None:
    folder = UnwrittenFolder(stages.store.run(stages.collections.chain(settings).last))
    if isinstance(settings, RankerRun):
        stages.ranker_phase(settings, folder, stages.products.at_start(settings), "")()
    else:
        stages.retriever_phase(settings, folder, "")()
