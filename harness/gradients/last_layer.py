"""The last layer of a tower, by whose parameters gradients are computed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import nn

from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.encoders.partial import LastLayerOf, layers_of
from harness.errors import UserError

KNOWN = (nn.Linear, nn.LayerNorm, nn.Embedding)
"""Modules with per-sequence gradients."""

INSTEAD = "use the gradients by an embedding or the score"
"""What works without a last layer, as errors say it."""

UNUSED = "pooler"
"""A head of BERT checkpoints that no tower uses."""


@dataclass(frozen=True)
class LastLayer:
    """The last transformer layer of a tower and all after it; the embeddings of a tower without layers.

    Attributes:
        tower: the tower of the layer.
        entrance: its first module.
        modules: name -> module, of modules with parameters.
    """

    tower: Tower
    entrance: nn.Module
    modules: dict[str, nn.Module]

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """Name -> parameter."""
        return {
            f"{name}.{key}": parameter
            for name, module in self.modules.items()
            for key, parameter in module.named_parameters(recurse=False)
        }

    @cached_property
    def over_states(self) -> LastLayerOf:
        """The same layer, reading the states that enter it, for encoders in evaluation mode."""
        above = LastLayerOf(self.tower)
        above.eval()
        return above

    @property
    def words(self) -> str | None:
        """Name of the word embeddings, if they are part of it."""
        embeddings = self.tower.transformer.get_input_embeddings()
        return next((name for name, module in self.modules.items() if module is embeddings), None)

    @property
    def dtype(self) -> torch.dtype:
        """Type of the parameters."""
        return next(iter(self.parameters.values())).dtype

    @property
    def device(self) -> torch.device:
        """Device of the parameters."""
        return next(iter(self.parameters.values())).device


def last_layer(tower: Tower) -> LastLayer:
    """Return the last layer of a tower.

    Raises:
        UserError: the layers cannot be located, or the last one has a module of a kind without per-sequence
            gradients.
    """
    transformer: Any = tower.transformer
    path = _path_of_last(transformer)
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
                fix=f"supported are {names}; or {INSTEAD}",
            )
    return LastLayer(tower, transformer.get_submodule(path), modules)


def _path_of_last(transformer: Any) -> str:
    """Return the name of the last layer's module, that of the embeddings where there is no layer."""
    if not transformer.config.num_hidden_layers:
        return "embeddings"
    name, layers = layers_of(transformer, where="gradients", fix=INSTEAD)
    return f"{name}.{len(layers) - 1}"


@contextmanager
def only_last_layers(encoder: DualEncoder, layers: list[LastLayer]) -> Iterator[None]:
    """Within the block, let only the parameters of some last layers require gradients, without dropout.

    Args:
        encoder: the encoder of the layers.
        layers: last layers of its towers; may be empty.
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
