"""Checkpoints: written beside, then renamed; weights as safetensors, optimizer loaded with weights only.

What is loaded is first compared with its checksums.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from harness.encoders.dual_encoder import DualEncoder, TwoTowers
from harness.encoders.late_interaction import LateInteraction, holds_late_interaction
from harness.encoders.partial import PartialEncoder
from harness.encoders.ranker import CrossEncoder, Ranker
from harness.errors import UserError, told
from harness.records.written import check_written
from harness.storage.checksums import SUMS, check_folder
from harness.storage.disk import space_for
from harness.storage.files import DELETE, atomic_folder, read_object, write_json

BEST = "best"
REACHED = "reached.json"
"""Step and value on ``dev`` of the encoder beside it."""


@dataclass(frozen=True)
class TrainingState:
    """State of a training run after `step` optimizer steps."""

    step: int
    weights: dict[str, Tensor]
    optimizer: dict[str, Any]


def save_checkpoint(folder: Path, step: int, weights: dict[str, Tensor], optimizer: dict[str, Any]) -> None:
    """Write `folder`/step-N and remove older ones.

    Raises:
        DiskFullError: there is no room; the older ones are as they were.
    """
    target, size = folder / f"step-{step:08d}", _bytes(weights) + _bytes(optimizer)
    with space_for("the checkpoint", folder, size), atomic_folder(target) as beside:
        save_file(weights, beside / "model.safetensors")
        with (beside / "optimizer.pt").open("wb") as stream:  # torch's own writing hides that a disk is full
            torch.save(optimizer, stream)
        write_json(beside / "state.json", {"step": step, "run": folder.parent.name})
    for other in folder.glob("*step-*"):
        if other != target:
            shutil.rmtree(other, ignore_errors=True)


def latest_checkpoint(folder: Path) -> TrainingState | None:
    """Read the newest checkpoint, or return none.

    Raises:
        UserError: it is corrupt, or another run's.
    """
    folders = sorted(folder.glob("step-*"))
    if not folders:
        return None
    newest, run = folders[-1], folder.parent
    check_folder(newest)
    with told("corrupt checkpoint", where=str(newest), fix=DELETE):
        state = read_object(newest / "state.json", DELETE)
        if state.get("run", run.name) != run.name and run.parent.name == "runs":
            raise UserError(f"the checkpoint is that of run {state['run']}", where=str(newest), fix=DELETE)
        return TrainingState(
            step=int(state["step"]),
            weights=load_file(newest / "model.safetensors"),
            optimizer=torch.load(newest / "optimizer.pt", weights_only=True),
        )


def save_final(model: TwoTowers[Any] | Ranker, folder: Path, tokenizer: Any, longest: int) -> None:
    """Write the model of a finished phase; see `DualEncoder.save` and `Ranker.save`.

    Args:
        model: what was trained.
        folder: made, for example `final_of` a folder of checkpoints.
        tokenizer: saved with it.
        longest: tokens of what it reads.
    """
    size = _bytes(model.weights())
    with space_for("the trained model", folder.parent, size), atomic_folder(folder) as beside:
        model.save(beside, tokenizer, longest)


def keep_best(
    encoder: TwoTowers[Any], folder: Path, tokenizer: Any, longest: int, step: int, value: float
) -> None:
    """Write `folder`/best, as `save_final` does, if the encoder is better than what lies there.

    Args:
        encoder: after `step` steps.
        folder: of checkpoints.
        tokenizer: saved with it.
        longest: tokens of a passage.
        step: optimizer steps.
        value: what it reaches on ``dev``; more is better.
    """
    known = best_of(folder)
    if known is None or value > known["value"]:
        size = _bytes(encoder.weights())
        with space_for("the best encoder", folder, size), atomic_folder(folder / BEST) as beside:
            encoder.save(beside, tokenizer, longest)
            write_json(beside / REACHED, {"step": step, "value": value})


def settle_best(folder: Path, step: int, value: float) -> dict[str, float]:
    """Remove `folder`/best unless it is better than the final encoder; returns step and value of the best.

    Args:
        folder: of checkpoints.
        step: of the final encoder.
        value: what that reaches on ``dev``.
    """
    known = best_of(folder)
    if known is not None and known["value"] > value:
        return known
    shutil.rmtree(folder / BEST, ignore_errors=True)
    return {"step": step, "value": value}


def best_of(folder: Path) -> dict[str, float] | None:
    """Return step and value of `folder`/best; none where there is none."""
    path = folder / BEST / REACHED
    return read_object(path) if path.exists() else None


def load_encoder(folder: Path) -> DualEncoder:
    """Read what :func:`save_final` wrote of a dual encoder.

    Raises:
        UserError: a file is missing or corrupt.
    """
    _check(folder)
    return DualEncoder.load(folder)


def read_part(encoder: PartialEncoder, folder: Path) -> None:
    """Read what :func:`save_final` wrote of a part of an encoder.

    Raises:
        UserError: a file is missing or corrupt.
    """
    _check(folder)
    encoder.read(folder)


def load_ranker(folder: Path) -> Ranker:
    """Read a ranker that :func:`save_final` wrote.

    Raises:
        UserError: a file is missing or corrupt.
    """
    _check(folder)
    return LateInteraction.load(folder) if holds_late_interaction(folder) else CrossEncoder.load(folder)


def _check(folder: Path) -> None:
    """Compare a model's files with their checksums, and these with what the run wrote."""
    check_written(folder.parent.parent, f"{folder.parent.name}/{folder.name}/{SUMS}")
    check_folder(folder)


def final_of(folder: Path) -> Path:
    """Return where what a finished phase trained lies in a folder of checkpoints."""
    return folder / "final"


def ranker_of(folder: Path) -> Path:
    """Return where a ranker lies that was trained beside a retriever, in a folder of checkpoints."""
    return folder / "ranker"


def _bytes(state: Any) -> int:
    """Return the bytes of all tensors in a state dict, however deep."""
    if isinstance(state, Tensor):
        return state.nbytes
    return sum(map(_bytes, state.values())) if isinstance(state, dict) else 0
