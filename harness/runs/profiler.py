"""A trace of a few steps by torch's profiler, to be opened in Perfetto or chrome://tracing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile, schedule

TRACE = "trace.json.gz"
BEFORE, LOOKED_AT = 3, 3
"""Steps that pass first, the last of them with the profiler on already, and steps that it looks at."""


@contextmanager
def profiled(folder: Path, said: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Trace some of the steps of a block; yields what is called before the first step and after each.

    Args:
        folder: of the run, in which the trace is written.
        said: is told where the trace lies, or that there were too few steps.
    """
    activities = [ProfilerActivity.CPU]
    activities += [ProfilerActivity.CUDA] if torch.cuda.is_available() else []
    path, calls = folder / TRACE, 0

    def write(profiler: profile) -> None:
        if calls > BEFORE + 1:
            profiler.export_chrome_trace(str(path))

    steps = schedule(wait=BEFORE - 1, warmup=1, active=LOOKED_AT, repeat=1)
    with profile(activities=activities, schedule=steps, on_trace_ready=write) as profiler:

        def stepped() -> None:
            nonlocal calls
            calls += 1
            if calls > 1:
                profiler.step()

        yield stepped
    some = calls > BEFORE + 1
    said(f"trace: {path}" if some else f"no trace: at most {BEFORE} steps were left to be trained")
