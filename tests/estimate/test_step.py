"""What a plan says that a step takes is what torch allocates for it, kept or computed again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from harness.estimate.memory import memory
from harness.estimate.moments import Machine
from harness.retrieval.ranks import Deal
from harness.specs.run_settings import ContinuedRun
from harness.training.forward import Part, Passing, embed
from tests.estimate.test_frozen import CORPUS, LONGEST, run_of, texts, tower

SHORTEST = 8
"""Tokens of a query."""

PLACES = 480


def sized(batch: int) -> ContinuedRun:
    """A run whose step has so many queries, each with 15 negatives."""
    run = run_of("both-towers")
    return run.model_copy(update={"phase": run.phase.model_copy(update={"batch": batch, "places": PLACES})})


def planned(run: ContinuedRun, *, recompute: bool) -> int:
    """Bytes of a step, gradients included, without weights and the optimizer's moments."""
    moments = {moment.name: moment for moment in memory(run, CORPUS, Machine(recompute=recompute))}
    step = moments["retriever's step"]
    [gradients] = [part.size for part in step.models if part.name == "retriever: gradients"]
    return gradients + sum(part.size for part in step.working)


def allocated(run: ContinuedRun, trace: Path, *, recompute: bool) -> int:
    """Most bytes that forward and backward pass of a step have at once, by torch's own account."""
    encoder, passing = tower().train(), Passing(places=PLACES, deal=Deal(recompute=recompute))
    passages = run.phase.batch * (1 + run.sampler.draws[1])

    def embedded(count: int, length: int, part: Part) -> torch.Tensor:
        return embed(encoder, texts(count, length), np.arange(count), 0, part=part, passing=passing)

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        queries = embedded(run.phase.batch, SHORTEST, "query")
        (queries @ embedded(passages, LONGEST, "passage").T).logsumexp(1).sum().backward()
    profiler.export_chrome_trace(str(trace))
    events: list[dict[str, Any]] = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    changes = [event for event in events if event.get("name") == "[memory]"]
    ordered = [event["args"]["Bytes"] for event in sorted(changes, key=lambda event: event["ts"])]
    return int(np.cumsum(ordered).max())


@pytest.mark.parametrize("recompute", [False, True])
def test_the_plan_of_a_step_is_what_torch_allocates(tmp_path: Path, recompute: bool) -> None:
    run = sized(16)
    taken = allocated(run, tmp_path / "trace.json", recompute=recompute)
    assert 0.85 < taken / planned(run, recompute=recompute) < 1.05


def test_computed_again_a_batch_four_times_as_large_takes_hardly_more(tmp_path: Path) -> None:
    sizes = [allocated(sized(batch), tmp_path / "trace.json", recompute=True) for batch in (4, 16)]
    assert sizes[0] < sizes[1] < 1.1 * sizes[0]
