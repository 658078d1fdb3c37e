"""What torch allocates is not filled before it is written: nothing that is trained reads it unwritten."""

from __future__ import annotations

import pytest
import torch
from torch.utils import deterministic

from harness.negatives.presets import presets
from harness.runs.training import make_repeatable
from harness.training.turns import TURNS

from .conftest import same
from .test_co_training import co_trainer


@pytest.fixture
def fill():
    """Lets torch fill what it allocates, with NaN, or not; afterwards all is as before."""
    on, warned = torch.are_deterministic_algorithms_enabled(), torch.get_deterministic_debug_mode() == 1
    filled = deterministic.fill_uninitialized_memory

    def choose(wanted: bool) -> None:
        make_repeatable()
        assert torch.are_deterministic_algorithms_enabled()
        assert not deterministic.fill_uninitialized_memory
        deterministic.fill_uninitialized_memory = wanted
        assert not wanted or torch.isnan(torch.empty(1000)).all()

    yield choose
    deterministic.fill_uninitialized_memory = filled
    torch.use_deterministic_algorithms(on, warn_only=warned)


def trained(trainer) -> tuple[list, dict, dict]:
    """Losses and gradients' lengths of all steps, gradients of the last one, and all weights."""
    trainer.run()
    lines = [line for line in trainer.writer.metrics() if "loss" in line]
    assert len(lines) == trainer.phase.steps
    models = [trainer.encoder] if trainer.ranker is None else [trainer.encoder, trainer.ranker.ranker]
    named = {f"{place}.{name}": p for place, m in enumerate(models) for name, p in m.named_parameters()}
    gradients = {name: weight.grad for name, weight in named.items() if weight.grad is not None}
    assert len(gradients) > 2
    weights = {name: weight.detach() for name, weight in named.items()}
    return [(line["phase"], line["loss"], line["gradient_norm"]) for line in lines], gradients, weights


def equal(one: tuple[list, dict, dict], other: tuple[list, dict, dict]) -> bool:
    return one[0] == other[0] and same(one[1], other[1]) and same(one[2], other[2])


@pytest.mark.parametrize(
    ("preset", "changes"),
    [
        ("in-batch", {}),
        ("trisampler", {}),
        ("queue", {}),
        ("trisampler", {"layers": 0}),
        ("simans", {"towers": "separate", "projection": 16}),
    ],
)
def test_a_run_is_the_same_whether_memory_is_filled(bench, tmp_path, fill, preset, changes):
    runs = []
    for filled in (True, False):
        fill(filled)
        encoder = bench.encoder(**changes)
        runs.append(
            trained(bench.trainer(tmp_path / str(filled), encoder, preset=presets()[preset], steps=4))
        )
    assert equal(*runs)


@pytest.mark.parametrize("loss", ["ar2-paper", "ar2-continue"])
def test_turns_are_the_same_whether_memory_is_filled(bench, tmp_path, fill, loss):
    runs = []
    for filled in (True, False):
        fill(filled)
        turns = TURNS["ranker-first"](share=0.5)
        runs.append(trained(co_trainer(bench, tmp_path / str(filled), turns, loss, steps=4, refresh=2)))
    assert equal(*runs)
