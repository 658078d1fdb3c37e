"""Floating-point operations that a model needs for its texts, and those that this device can do.

Counted as in PaLM (Chowdhery et al., 2022, appendix B): 6 a parameter and token, embeddings left out, and
12 x width x length a layer and token for attention; a third of it where there is no backward pass. Padding,
and what is computed twice, are not counted.
"""

from __future__ import annotations

import functools
import time
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from harness.encoders.precision import products


def model_flops(model: nn.Module, lengths: npt.NDArray[np.int64], *, trains: bool) -> float:
    """Return the operations that a model needs for texts of some lengths.

    Args:
        model: that reads them.
        lengths: tokens of each text.
        trains: whether a backward pass follows.
    """
    if model not in _SHAPES:
        _SHAPES[model] = _shape(model)
    parameters, attention = _SHAPES[model]
    each = lengths.astype(np.float64)
    return (6 if trains else 2) * float(parameters * each.sum() + 2 * attention * (each**2).sum())


_SHAPES: WeakKeyDictionary[nn.Module, tuple[int, int]] = WeakKeyDictionary()


def _shape(model: nn.Module) -> tuple[int, int]:
    """Return the parameters without embeddings, and layers x width of what attends."""
    embeddings = {id(p) for m in model.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
    parameters = sum(p.numel() for p in model.parameters() if id(p) not in embeddings)
    configs = (getattr(module, "config", None) for module in model.modules())
    config = next((one for one in configs if hasattr(one, "num_hidden_layers")), None)
    return parameters, 0 if config is None else config.num_hidden_layers * config.hidden_size


@functools.cache
def matrix_rate(device: torch.device, precision: str) -> float:
    """Return the operations a second that a product of matrices reaches, measured in a moment.

    Args:
        device: that computes it.
        precision: ``float32``, ``tf32`` (on a GPU, else float32) or ``bfloat16``.
    """
    size, gpu = (8192, True) if device.type == "cuda" else (512, False)
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    left, best = torch.ones(size, size, dtype=kind, device=device), 0.0
    with torch.no_grad(), products(precision):
        for _ in range(4):
            begin = time.perf_counter()
            left @ left
            if gpu:
                torch.cuda.synchronize(device)
            best = max(best, 2 * size**3 / (time.perf_counter() - begin))
    return best
