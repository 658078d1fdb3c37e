"""The one place that chooses a device."""

from __future__ import annotations

import os

import torch


def device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def use_gpu(number: int) -> None:
    """Give a worker one of the GPUs, where there are several; nothing of it has used one yet.

    Args:
        number: of the worker, from 0.
    """
    gpus = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    count = len(gpus) or torch.cuda.device_count()
    if count > 1:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[number % count] if gpus else str(number % count)
