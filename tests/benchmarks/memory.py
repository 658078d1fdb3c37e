"""Memory and time of a step that recomputes bucket by bucket, against one that keeps everything.

    python -m tests.benchmarks.memory [--write]

Forward and backward of passages, each in a process of its own: the peak above what was there before.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from harness.retrieval.ranks import Deal
from harness.training.forward import Passing, embed
from tests.benchmarks.made import checkpoint, collection, read
from tests.benchmarks.paired import Line, seconds, tell

SIZE, FEW, MANY, ROUNDS = (128, 2), 32 * 16, 128 * 16, 3


def mebibytes(what: str) -> float:
    """A figure of the memory of this process."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.findall(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)[0]) / 1024


def measure(passages: int, recompute: bool) -> tuple[float, float]:
    """Peak and CPU seconds of a step in this process."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        start = checkpoint(Path(folder) / "start", *SIZE)
        tokens, encoder = read(collection(passages, 1), start, Path(folder) / "tokens")
    tower, passing = encoder.passage.train(), Passing(deal=Deal(recompute=recompute))

    def step(count: int) -> None:
        rows = np.arange(count)
        embed(tower, tokens.documents, rows, tokens.pad, passing=passing).square().mean().backward()

    step(1)  # what a process pays once
    before = mebibytes("VmRSS")
    took = seconds(lambda: step(passages))
    return mebibytes("VmHWM") - before, took


def spent(passages: int, recompute: bool) -> list[float]:
    """The same of a process of its own."""
    command = f"from tests.benchmarks.memory import measure; print(*measure({passages}, {recompute}))"
    done = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True)
    return [float(figure) for figure in done.stdout.split()[-2:]]


def main() -> None:
    """Print the ratios."""
    rounds = np.array([[spent(FEW, False), spent(FEW, True), spent(MANY, True)] for _ in range(ROUNDS)])
    kept, again, many = rounds[:, :, 0].T
    of = f"BERT of {SIZE[1]} x {SIZE[0]}, lengths of pydocs: "
    cases = [
        (f"{FEW} passages recomputed", f"{FEW} kept", again, kept, None),
        (f"{MANY} passages recomputed", f"{FEW} kept", many, kept, 1 / 0.5),
        (f"{MANY} passages recomputed", f"{FEW} recomputed", many, again, 1 / 1.6),
    ]
    lines = [
        Line.of(of + case, peer, list(zip(ours, theirs, strict=True)), unit="MiB", asked=asked)
        for case, peer, ours, theirs, asked in cases
    ]
    timed = list(zip(rounds[:, 1, 1], rounds[:, 0, 1], strict=True))
    lines.append(Line.of(f"{of}{FEW} passages recomputed", f"{FEW} kept", timed))
    tell("memory", "Memory of a step, recomputed", lines)


if __name__ == "__main__":
    main()
