"""Checkpoints: written beside, then renamed; weights as safetensors, optimizer loaded with weights only.

What is loaded is first compared with its checksums.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from harness.checksums import check_folder
from harness.encoders.dual_encoder import DualEncoder
from harness.errors import UserError
from harness.files import publish_folder, read_json, write_json


@dataclass(frozen=True)
class Checkpoint:
    """State of a training run after `step` optimizer steps."""

    step: int
    weights: dict[str, Tensor]
    optimizer: dict[str, Any]


def save_checkpoint(folder: Path, step: int, weights: dict[str, Tensor], optimizer: dict[str, Any]) -> None:
    """Write `folder`/step-N and remove older ones."""
    target = folder / f"step-{step:08d}"
    beside = folder / f".step-{step:08d}.{os.getpid()}.tmp"
    beside.mkdir(parents=True, exist_ok=True)
    save_file(weights, beside / "model.safetensors")
    torch.save(optimizer, beside / "optimizer.pt")
    write_json(beside / "state.json", {"step": step})
    publish_folder(beside, target)
    for other in folder.glob("*step-*"):
        if other != target:
            shutil.rmtree(other, ignore_errors=True)


def latest_checkpoint(folder: Path) -> Checkpoint | None:
    """Read the newest checkpoint, or return none.

    Raises:
        UserError: it is corrupt.
    """
    found = sorted(folder.glob("step-*"))
    if not found:
        return None
    check_folder(found[-1])
    try:
        return Checkpoint(
            step=int(read_json(found[-1] / "state.json")["step"]),
            weights=load_file(found[-1] / "model.safetensors"),
            optimizer=torch.load(found[-1] / "optimizer.pt", weights_only=True),
        )
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"corrupt checkpoint ({error})", where=str(found[-1]), fix="delete it and run again"
        ) from error


def save_final(encoder: DualEncoder, folder: Path, tokenizer: Any, longest: int) -> None:
    """Write `folder`/final, the encoder of a finished phase; see `DualEncoder.save`."""
    beside = folder / ".final.tmp"
    shutil.rmtree(beside, ignore_errors=True)
    encoder.save(beside, tokenizer, longest)
    publish_folder(beside, final_of(folder))


def load_final(folder: Path) -> DualEncoder:
    """Read what :func:`save_final` wrote.

    Raises:
        UserError: a file is missing or corrupt.
    """
    check_folder(final_of(folder))
    return DualEncoder.load(final_of(folder))


def final_of(folder: Path) -> Path:
    """Return where the encoder of a finished phase lies in a folder of checkpoints."""
    return folder / "final"
