"""Ranks in tests: processes forked after the imports, joined by a file; float64 and float32 on one thread."""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from harness.records.unwritten import UnwrittenFolder
from harness.retrieval.ranks import Ranks

TIMEOUT_S = 300


def on_ranks(count: int, folder: Path, work: Callable[[Ranks], Any]) -> list[Any]:
    """Run work on ranks, each forked from this process, and return what each returned.

    Args:
        count: of ranks.
        folder: new, for what they exchange.
        work: called with the group of a process.
    """
    folder.mkdir(parents=True)
    children = []
    for number in range(count):
        child = os.fork()
        if not child:
            os._exit(_rank(number, count, folder, work))
        children.append(child)
    failed = [number for number, child in enumerate(children) if os.waitpid(child, 0)[1]]
    assert not failed, f"ranks {failed} failed"
    return [pickle.loads((folder / str(number)).read_bytes()) for number in range(count)]  # noqa: S301


def _rank(number: int, count: int, folder: Path, work: Callable[[Ranks], Any]) -> int:
    try:
        os.environ["OMP_NUM_THREADS"] = "1"  # threads of what was forked are not there
        torch.set_num_threads(1)
        store = dist.FileStore(str(folder / "store"), count)
        timeout = timedelta(seconds=TIMEOUT_S)
        dist.init_process_group("gloo", store=store, rank=number, world_size=count, timeout=timeout)
        made = work(Ranks.here())
        (folder / str(number)).write_bytes(pickle.dumps(made))
        dist.barrier()
    except BaseException:
        traceback.print_exc(file=sys.stderr)
        return 1
    return 0


def recorded_by_the_first(trainer: Any, ranks: Ranks) -> Any:
    """Return a trainer that shares its steps with other ranks, of which the first records."""
    trainer.ranks = ranks
    if not ranks.first:
        trainer.writer = UnwrittenFolder(trainer.writer.folder)
    return trainer
