"""What a small run costs beside its steps, as ratios to them: mining, ranking, writing, measuring.

    python -m tests.benchmarks.overhead [TARGET ROW SCALE]

The peer is the training of the same run in the same process: processor time of the thread that trains, so
that a busy machine weighs on neither. Collections, tokens, states and candidates are those of the store in
use, made there first where they are missing; the run itself is made in a store of its own, not in yours.
What a process pays once is left out too: imports, reading the encoder, the run that this one continues.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import torch

from harness.progress import Progress
from harness.runs import evaluation
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.storage.store import Store
from harness.targets.reproduce import plan, resolve_at
from harness.training.trainer import Trainer
from tests.benchmarks.recording import Spent

SHARED = ("collections", "tokens", "states", "candidates")

PARTS = (
    (Trainer, "_step"),
    (Trainer, "_refresh"),
    (evaluation, "_rankings"),
    (evaluation, "_measure"),
    (evaluation, "write_ranking"),
)


def beside(store: Store, root: Path) -> Store:
    """Return a store of its own runs over the shared products of another."""
    for name in SHARED:
        (store.root / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to((store.root / name).resolve())
    return Store(root)


def main(target: str = "trisampler/table-5", row: str = "SimANS", scale: str = "quick") -> None:
    """Print the parts of a run as ratios to its steps."""
    with tempfile.TemporaryDirectory() as folder:
        stages = Stages(beside(Store.default(), Path(folder)), Progress(quiet=True))
        resolved = resolve_at(Library.default(), target, scale, stages)
        torch.set_num_threads(resolved.scale.spec.threads)
        (run,) = [planned for planned in plan(resolved, stages, 1, [row]) if planned.row == row]
        stages.products.prepare(run.settings)
        spent = Spent()
        for owner, name in PARTS:
            spent.timed(owner, name, time.thread_time)
        begin = time.thread_time()
        stages.run(run.settings, row)
        took = time.thread_time() - begin
    show(spent.seconds, took)


def show(seconds: dict[str, float], took: float) -> None:
    """Print what each part is of the steps."""
    steps, writing = seconds["_step"], seconds["write_ranking"]
    parts = {
        "mining": seconds["_refresh"],
        "ranking": seconds["_rankings"],
        "writing rankings": writing,
        "measuring": seconds["_measure"] - writing,
    }
    parts["the rest"] = took - steps - sum(parts.values())
    for name, part in parts.items():
        print(f"{name:18s} {part / steps:6.2f} of the steps")
    print(f"{'in all':18s} {sum(parts.values()) / steps:6.2f} of the steps")


if __name__ == "__main__":
    main(*sys.argv[1:])
