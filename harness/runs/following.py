"""How the processes of a command train together: rank 0 leads, and does all else alone; the others follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from harness.errors import HarnessError, RunError, first_line
from harness.records.unwritten import UnwrittenFolder
from harness.retrieval.ranks import Ranks
from harness.specs.run_settings import RankerRun, TrainedRun

if TYPE_CHECKING:
    from harness.runs.stages import Stages


@dataclass(frozen=True)
class SharedPhase:
    """What rank 0 tells the others to train with it.

    Attributes:
        settings: of the run.
        threads: of each process.
    """

    settings: TrainedRun
    threads: int


@contextmanager
def together(ranks: Ranks, settings: TrainedRun) -> Iterator[None]:
    """Within the block, train with the other ranks, which `follow`; what the run stands on is in the store.

    Raises:
        HarnessError: this rank is out of memory; the others cannot go on with it to another run.
    """
    if ranks.count == 1:
        yield
        return
    ranks.told(SharedPhase(settings, torch.get_num_threads()))
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise HarnessError(f"rank {ranks.number}: {first_line(error)}") from error


@contextmanager
def led(stages: Stages) -> Iterator[Stages | None]:
    """Yield the stages to rank 0, whose training the others follow until the block ends; None to them."""
    ranks = stages.means.ranks
    if not ranks.first:
        follow(stages)
        yield None
        return
    yield stages
    ranks.told(_NO_MORE)


def follow(stages: Stages) -> None:
    """Train what rank 0 trains, with it, until it says that there is no more."""
    while (phase := stages.means.ranks.told(_NO_MORE)) is not None:
        with suppress(RunError):  # which rank 0 meets too, and goes on to another run
            _follow(stages, phase)


_NO_MORE: SharedPhase | None = None


def _follow(stages: Stages, phase: SharedPhase) -> None:
    torch.set_num_threads(phase.threads)
    settings, collections = phase.settings, stages.collections
    collections.keep_only(run.collection for run in (settings, *settings.below.values()))
    folder = UnwrittenFolder(stages.store.run(collections.chain(settings).last))
    if isinstance(settings, RankerRun):
        stages.ranker_phase(settings, folder, stages.products.at_start(settings), "")()
    else:
        stages.retriever_phase(settings, folder, "")()
