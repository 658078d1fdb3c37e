"""The last layer of a tower: whose parameters the gradients are taken of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.errors import UserError

KNOWN = (nn.Linear, nn.LayerNorm, nn.Embedding)
"""Modules whose gradients are known sequence by sequence."""

UNUSED = "pooler"
"""A head that BERTs of the hub bring along, and that no tower reads."""


@dataclass(frozen=True)
class LastLayer:
    """The last transformer layer of a tower and what stands after it; its embeddings where it has no layer.

    Attributes:
        tower: whose.
        entrance: the module that it begins with.
        modules: those that hold parameters, by name.
    """

    tower: Tower
    entrance: nn.Module
    modules: dict[str, nn.Module]

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """Parameters by name."""
        return {
            f"{name}.{key}": parameter
            for name, module in self.modules.items()
            for key, parameter in module.named_parameters(recurse=False)
        }

    @property
    def words(self) -> str | None:
        """Name of the word embeddings, where they are part of it."""
        embeddings = self.tower.transformer.get_input_embeddings()
        return next((name for name, module in self.modules.items() if module is embeddings), None)

    @property
    def dtype(self) -> torch.dtype:
        """Type of the parameters."""
        return next(iter(self.parameters.values())).dtype

    @property
    def device(self) -> torch.device:
        """Where they lie."""
        return next(iter(self.parameters.values())).device


def last_layer(tower: Tower) -> LastLayer:
    """Return the last layer of a tower.

    Raises:
        UserError: there are layers and they cannot be found, or a module in the last is of a kind whose
            gradients are not known sequence by sequence.
    """
    transformer: Any = tower.transformer
    layers = transformer.config.num_hidden_layers
    path = _path_of_last(transformer, layers)
    holding = [name for name, module in tower.named_modules() if list(module.parameters(recurse=False))]
    begin = next(place for place, name in enumerate(holding) if f"{name}.".startswith(f"transformer.{path}."))
    chosen = [name for name in holding[begin:] if UNUSED not in name]
    modules = {name: tower.get_submodule(name) for name in chosen}
    for name, module in modules.items():
        if type(module) not in KNOWN:
            names = ", ".join(kind.__name__ for kind in KNOWN)
            raise UserError(
                f"the last layer holds a {type(module).__name__} ({name})",
                where="gradients",
                fix=f"only these are known: {names}; take the gradients to an embedding or the score",
            )
    return LastLayer(tower, transformer.get_submodule(path), modules)


def _path_of_last(transformer: nn.Module, layers: int) -> str:
    if not layers:
        return "embeddings"
    for name, module in transformer.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == layers:
            return f"{name}.{layers - 1}"
    raise UserError(
        f"the {layers} layers of a {type(transformer).__name__} cannot be found",
        where="gradients",
        fix="take the gradients to an embedding or the score",
    )


@contextmanager
def only_last_layers(encoder: DualEncoder, layers: list[LastLayer]) -> Iterator[None]:
    """Let the parameters of some last layers require gradients, and no others, without dropout; then undo it.

    Args:
        encoder: whose towers these are.
        layers: of its towers.
    """
    required = {parameter: parameter.requires_grad for parameter in encoder.parameters()}
    training = {module: module.training for module in encoder.modules()}
    encoder.eval().requires_grad_(False)
    for layer in layers:
        for parameter in layer.parameters.values():
            parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter, before in required.items():
            parameter.requires_grad_(before)
        for module, mode in training.items():
            module.training = mode
