"""What recording costs: the share of a run's seconds that goes to logging, checkpoints and MLflow.

    python -m tests.benchmarks.recording [TARGET ROW SCALE] [--write]

The peer is the run itself, in the same process: all seconds that it takes after what it depends on is there.
Seconds of the training thread are counted in the functions that record; those of the mirror's thread are
its processor time, beside training. What a process pays once, whatever the number of its runs, is left out:
importing MLflow, opening its database, describing the environment.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from harness.progress import Progress
from harness.records.mlflow_mirror import MlflowMirror
from harness.records.run_folder import RunFolder
from harness.runs import stages
from harness.runs import training as run_training
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.storage.store import Store
from harness.targets import mirror as mirror_module
from harness.targets.mirror import mirrored
from harness.targets.reproduce import plan, resolve_at
from harness.training import trainer
from tests.benchmarks.paired import Line, tell

RECORDING = (
    (RunFolder, "log"),
    (RunFolder, "settle"),
    (RunFolder, "describe"),
    (RunFolder, "finish"),
    (trainer, "save_checkpoint"),
    (run_training, "keep_best"),
    (run_training, "save_final"),
    (mirror_module, "write_ir_metadata"),
)


class Spent:
    """Seconds by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, owner: Any, name: str, clock: Callable[[], float] = time.perf_counter) -> None:
        """Count the seconds of a function from now on."""
        right = getattr(owner, name)

        def counted(*arguments: Any, **named: Any) -> Any:
            begin = clock()
            try:
                return right(*arguments, **named)
            finally:
                self.seconds[name] = self.seconds.get(name, 0.0) + clock() - begin

        setattr(owner, name, counted)


def main(target: str = "trisampler/table-5", row: str = "TriSampler", scale: str = "scratch") -> None:
    """Print the share of each part and of all together."""
    spent = Spent()
    for owner, name in RECORDING:
        spent.timed(owner, name)
    spent.timed(MlflowMirror, "write", time.thread_time)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        plain = Stages(store, Progress(quiet=True))
        resolved = resolve_at(Library.default(), target, scale, plain)
        torch.set_num_threads(resolved.scale.spec.threads)
        (run,) = [planned for planned in plan(resolved, plain, 1, [row]) if planned.row == row]
        stages.describe_environment()
        with mirrored(plain, resolved, [run]) as first:  # also opens MLflow
            first.products.prepare(run.settings)
        spent.seconds.clear()
        with mirrored(plain, resolved, [run]) as recorded:
            begin = time.perf_counter()
            recorded.run(run.settings, row)
            took = time.perf_counter() - begin
    print(f"{target}, {row}, {scale}: {took:.1f} s")
    for name, seconds in sorted(spent.seconds.items(), key=lambda item: -item[1]):
        print(f"  {name:20s} {seconds:7.3f} s  {100 * seconds / took:5.2f} %")
    total = sum(spent.seconds.values())
    case, note = f"{target}, {row}, {scale}", f"{100 * total / took:.1f} % of the run"
    line = Line.of(case, "the run itself, recording in it", [(total, took)], unit="s", note=note)
    tell("recording", "Recording a run", [line], ("mlflow", "torch"))
    print(f"recording in all       {total:7.3f} s  {100 * total / took:5.2f} %")


if __name__ == "__main__":
    main(*(argument for argument in sys.argv[1:] if argument != "--write"))
