"""A run that is profiled leaves a trace of its steps, and is the run that it would be otherwise."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.runs.profiler import BEFORE, LOOKED_AT, TRACE, profiled
from tests.place import edit
from tests.smallest import SmallestPlace

TARGET = "trisampler/table-5"


def enough_steps(spec: dict[str, Any]) -> None:
    for phase in spec["substitutes"].values():
        phase.update(steps=BEFORE + LOOKED_AT)


def steps_of(folder: Path, count: int) -> str:
    """Train for so many steps, and return what is said."""
    told: list[str] = []
    with profiled(folder, told.append) as stepped:
        stepped()
        for number in range(count):
            with torch.profiler.record_function(f"step {number}"):
                torch.ones(2).sum()
            stepped()
    return told[0]


def test_the_trace_is_of_some_steps_after_the_first(tmp_path: Path) -> None:
    assert steps_of(tmp_path, 10) == f"trace: {tmp_path / TRACE}"
    events = json.loads(gzip.decompress((tmp_path / TRACE).read_bytes()))["traceEvents"]
    named = {event["name"] for event in events if str(event.get("name")).startswith("step ")}
    assert named == {"step 3", "step 4", "step 5"}


@pytest.mark.parametrize(("steps", "found"), [(0, False), (BEFORE, False), (BEFORE + 1, True)])
def test_too_few_steps_are_told(tmp_path: Path, steps: int, found: bool) -> None:
    told = steps_of(tmp_path, steps)
    assert (tmp_path / TRACE).exists() == found
    assert told.startswith("trace: " if found else "no trace: at most 3 steps")


@pytest.mark.slow
def test_a_trace_names_the_parts_of_steps_and_the_run_is_the_same(tmp_path: Path) -> None:
    plain, looked_at = SmallestPlace(tmp_path / "plain"), SmallestPlace(tmp_path / "traced")
    for place, more in ((plain, ()), (looked_at, ("--profile",))):
        edit(place.root / "experiments/scales/simulation.yaml", enough_steps)
        said = place.say("reproduce", TARGET, "--scale", "simulation", "--row", "TriSampler", *more)
        assert said.code == 0, said.err
    traces = sorted(looked_at.root.glob(f"store/runs/*/{TRACE}"))
    assert len(traces) == 3  # of the row, and of what it starts from and is compared with
    events = json.loads(gzip.decompress(traces[0].read_bytes()))["traceEvents"]
    named = {event.get("name") for event in events}
    assert {"forward", "backward", "optimizer"} <= named
    [one], [other] = (sorted(place.root.glob("results/local/**/cells.json")) for place in (plain, looked_at))
    assert one.read_bytes() == other.read_bytes()
