"""What must not spoil a run: numbers that are not finite, memory that does not suffice, signals."""

from __future__ import annotations

import json
import os
import signal

import pytest
import torch

from harness.errors import RunError
from harness.storage import stopping
from harness.training import rounds
from harness.training import trainer as trainer_module
from harness.training.checkpoints import latest_checkpoint
from harness.training.losses.sum import total_and_terms
from harness.training.memory import ELSEWHERE, memory_told, smaller
from harness.training.not_finite import DUMP

from .conftest import same

CHANGES = {"steps": 12, "refresh": 4}


def no_number(loss: torch.Tensor) -> torch.Tensor:
    return loss * torch.nan


def without_end(loss: torch.Tensor) -> torch.Tensor:
    return loss / 0


def no_gradient(loss: torch.Tensor) -> torch.Tensor:
    """The same loss, whose gradient is not finite."""
    return loss + (loss - loss.detach()).sqrt()


def spoiled(monkeypatch, at: int, spoil) -> None:
    """Let a loss be spoiled once, the `at`-th that is computed from now on."""
    computed = iter(range(1000))

    def faulty(loss, scores):
        total, terms = total_and_terms(loss, scores)
        return (spoil(total) if next(computed) == at else total), terms

    monkeypatch.setattr("harness.training.objectives.total_and_terms", faulty)


def losses(trainer) -> list[tuple[int, float]]:
    return [(line["step"], line["loss"]) for line in trainer.writer.metrics() if "loss" in line]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_number, "continued: the loss is nan at step 6, queries "),
        (without_end, "continued: the loss is inf at step 6, queries "),
        (no_gradient, "continued: the gradient is "),
    ],
)
def test_a_step_that_is_not_finite_is_not_taken(bench, tmp_path, monkeypatch, spoil, said):
    whole = bench.trainer(tmp_path / "whole", bench.encoder(), **CHANGES)
    whole.run()
    trainer = bench.trainer(tmp_path / "parts", bench.encoder(), **CHANGES)
    before: list[dict] = []
    trainer.advance = lambda done: before.append(trainer.encoder.weights()) if done == 6 else None
    with monkeypatch.context() as patch:
        spoiled(patch, 6, spoil)
        with pytest.raises(RunError) as caught:
            trainer.run()
    text = str(caught.value)
    assert text.startswith(said) and "at step 6" in text and "\n" not in text
    assert text.endswith(f" and 5 more ({DUMP} in the run's folder); lower the learning rate")
    assert same(before[0], trainer.encoder.weights())
    told = json.loads((tmp_path / "parts" / DUMP).read_text())
    rows = trainer_module.batch_at(6, 8, len(bench.pairs.pairs), 3).rows
    ids = bench.collection.queries["train"].ids
    assert told["queries"] == [ids[number] for number in bench.pairs.pairs[rows, 0]]
    assert ", ".join(told["queries"][:3]) in text
    assert told["step"] == 6 and len(told["passages"]) == 8 and told["gradients_not_finite"]
    assert latest_checkpoint(tmp_path / "parts/checkpoints").step == 4
    mended = bench.trainer(tmp_path / "parts", bench.encoder(), **CHANGES)
    mended.run()
    assert same(whole.encoder.weights(), mended.encoder.weights())
    assert losses(whole) == losses(mended) and not (tmp_path / "parts" / DUMP).exists()


ALLOCATOR = (
    "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"
)


@pytest.mark.parametrize(
    "fault",
    [
        torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB"),
        RuntimeError(ALLOCATOR),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError("Unable to allocate 80.0 GiB for an array"),
    ],
)
def test_a_step_without_memory_says_what_to_lower(bench, tmp_path, monkeypatch, fault):
    def hungry(*_: object) -> None:
        raise fault

    trainer = bench.trainer(tmp_path, bench.encoder(), **CHANGES)
    monkeypatch.setattr("harness.training.objectives.total_and_terms", hungry)
    with pytest.raises(RunError) as caught:
        trainer.run()
    first = str(fault).splitlines()[0]
    fix = "lower `batch` of the phase from 8 to 4"
    assert str(caught.value) == f"continued: memory does not suffice ({first}); {fix}"


def test_memory_that_is_really_asked_for_and_not_there():
    for ask in (lambda: torch.empty(2**58), lambda: bytearray(2**62)):
        with pytest.raises(RunError, match="memory does not suffice"), memory_told("here"):
            ask()


def test_other_errors_stay_as_they_are():
    for error in (
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("memory"),
        RunError("x"),
    ):
        with pytest.raises(type(error)) as caught, memory_told("here"):
            raise error
        assert caught.value is error


def test_what_to_lower_is_what_can_be_lowered():
    assert smaller(256, 4096) == "lower `batch` of the phase from 256 to 128"
    assert smaller(3, 4096) == "lower `batch` of the phase from 3 to 1"
    assert smaller(1, 4096) == "lower `places` from 4096 to 2048"
    assert "more" in ELSEWHERE


@pytest.fixture
def signals(monkeypatch):
    """This process ends by signals as a command does, and afterwards as before."""
    handlers = {number: signal.getsignal(number) for number in stopping.ENDING}
    monkeypatch.setattr(stopping, "_Signals", type("Fresh", (stopping._Signals,), {}))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stopping.on_signals()
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def stop_in(monkeypatch, moment: str, number: signal.Signals, trainer) -> None:
    """Let a signal come at a moment about step 6, for which no checkpoint is due."""

    def kill(right):
        def killed(*arguments, **named):
            os.kill(os.getpid(), number)
            return right(*arguments, **named)

        return killed

    if moment == "progress":
        trainer.advance = lambda done: os.kill(os.getpid(), number) if done == 6 else None
    elif moment == "saving":
        monkeypatch.setattr(trainer_module, "save_checkpoint", kill(trainer_module.save_checkpoint))
    elif moment == "mining":
        monkeypatch.setattr(rounds, "encode", kill(rounds.encode))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("moment", "done"), [("progress", 6), ("saving", 4), ("mining", 4)])
def test_a_signal_leaves_a_checkpoint_of_the_present_step(
    bench, tmp_path, monkeypatch, signals, moment, done, number
):
    whole = bench.trainer(tmp_path / "whole", bench.encoder(), **CHANGES)
    whole.run()
    stopped = bench.trainer(tmp_path / "parts", bench.encoder(), **CHANGES)
    with (
        monkeypatch.context() as patch,
        pytest.raises(stopping.StoppedBySignal, match="continues where it was"),
    ):
        stop_in(patch, moment, number, stopped)
        stopped.run()
    assert stopping.exit_code() == 128 + number
    assert latest_checkpoint(tmp_path / "parts/checkpoints").step == done
    resumed = bench.trainer(tmp_path / "parts", bench.encoder(), **CHANGES)
    resumed.run()
    assert same(whole.encoder.weights(), resumed.encoder.weights()) and losses(whole) == losses(resumed)


def test_scores_that_cannot_fit_are_refused_before_they_are_made(bench, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.training.memory.memory_bytes", lambda: 3 * 4 * 8 * 8 - 1)
    trainer = bench.trainer(tmp_path, bench.encoder(), law=None)
    with pytest.raises(RunError, match="scores of 8 queries with 8 passages take 0 GB") as told:
        trainer.run()
    assert "lower `batch` of the phase from 8 to 4" in str(told.value)
    monkeypatch.setattr("harness.training.memory.memory_bytes", lambda: 3 * 4 * 8 * 8)
    trainer.run()
