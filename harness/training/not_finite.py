"""A step whose loss or gradient is no finite number: it is not taken, and its batch is written down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harness.errors import RunError
from harness.storage.files import write_json

DUMP = "not-finite.json"
"""File in the folder of a run that holds the batch of such a step, until the run is continued."""

SHOWN = 3
"""Queries that the message names; the file has all."""

FIX = "lower the learning rate"


class NotFiniteError(RunError):
    """The loss or the gradient of a step is not finite; nothing was changed.

    Attributes:
        about: loss, length of the gradient, and the names of weights whose gradients are not finite.
    """

    def __init__(self, what: str, about: dict[str, Any], *, where: str) -> None:
        self.about = about
        super().__init__(what, where=where, fix=FIX)


def finite_norm(loss: Tensor, weights: Iterable[tuple[str, nn.Parameter]], *, where: str) -> Tensor:
    """Return the length of the gradient of all weights.

    Raises:
        NotFiniteError: the loss or this length is not finite.
    """
    gradients = {name: weight.grad for name, weight in weights if weight.grad is not None}
    norm = nn.utils.get_total_norm(list(gradients.values()))
    if bool(torch.isfinite(loss)) and bool(torch.isfinite(norm)):
        return norm
    bad = [name for name, gradient in gradients.items() if not bool(torch.isfinite(gradient).all())]
    name, value = ("gradient", norm) if bool(torch.isfinite(loss)) else ("loss", loss)
    about = {"loss": str(loss.item()), "gradient_norm": str(norm.item()), "gradients_not_finite": bad}
    raise NotFiniteError(f"the {name} is {value.item()}", about, where=where)


def written_down(
    error: NotFiniteError, folder: Path | None, *, step: int, queries: Sequence[str], **batch: Any
) -> RunError:
    """Write the batch of a step that was not taken, and return what is told of it.

    Args:
        error: what was not finite.
        folder: of the run; none where another process writes.
        step: of the phase, from 0.
        queries: ids of the batch's queries.
        batch: what else is known of it.
    """
    about = {"phase": error.where, "step": step, "queries": list(queries), **error.about, **batch}
    if folder is not None:
        write_json(folder / DUMP, about)
    more = f" and {len(queries) - SHOWN} more" if len(queries) > SHOWN else ""
    what = f"{error.what} at step {step}, queries {', '.join(queries[:SHOWN])}{more}"
    return RunError(f"{what} ({DUMP} in the run's folder)", where=error.where, fix=error.fix)
