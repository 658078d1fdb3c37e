"""The dense layer that some retrievers have over the pooled vector: a linear map, then tanh or a LayerNorm.

RobertaDot of ANCE, STAR, ADORE and SimANS' MS MARCO documents has a map with a bias and a LayerNorm (SimXNS
at 0163380, SimANS/model/models.py:316-359), DPR with `projection_dim` a map with a bias. On disk it is a
`Dense` and a `LayerNorm` of SentenceTransformer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from harness.errors import UserError, told
from harness.storage.files import read_json, write_json

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""Names of the file with a module's weights, the one without pickles first."""

_ACTIVATIONS = {
    "torch.nn.modules.linear.Identity": False,
    "torch.nn.modules.activation.Tanh": True,
}
"""Activation as SentenceTransformer names it -> whether it is tanh."""

_USUAL: dict[str, tuple[Any, ...]] = {
    "use_residual": (None, False),
    "module_input_name": (None, "sentence_embedding"),
    "module_output_name": (None, "sentence_embedding"),
}
"""Setting of a `Dense` -> the values with which it is a map of the pooled vector and nothing else."""


class Dense(nn.Module):
    """A linear map of the pooled vector, with tanh or a LayerNorm after it where asked for.

    Args:
        inputs: width of the pooled vector.
        outputs: width of what it returns.
        bias: whether the map has a bias.
        tanh: whether tanh follows the map.
        layer_norm: whether a LayerNorm with weight and bias comes last.
    """

    def __init__(
        self, inputs: int, outputs: int, *, bias: bool = True, tanh: bool = False, layer_norm: bool = False
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=bias)
        self.tanh = tanh
        self.norm = nn.LayerNorm(outputs) if layer_norm else None

    @property
    def outputs(self) -> int:
        """Width of what it returns."""
        return int(self.linear.out_features)

    def forward(self, vector: Tensor) -> Tensor:
        """Map pooled vectors: [B, inputs] -> [B, outputs]."""
        mapped: Tensor = self.linear(vector)
        mapped = torch.tanh(mapped) if self.tanh else mapped
        return mapped if self.norm is None else self.norm(mapped)

    def save(self, folder: Path, paths: tuple[str, ...]) -> None:
        """Write it as modules of SentenceTransformer.

        Args:
            folder: of the encoder.
            paths: of the map below it, and of the LayerNorm if there is one.
        """
        save_map(folder / paths[0], self.linear.weight, self.linear.bias, tanh=self.tanh)
        if self.norm is not None:
            write_json(folder / paths[1] / "config.json", {"dimension": self.outputs})
            _save(folder / paths[1], {"norm.weight": self.norm.weight, "norm.bias": self.norm.bias})


def save_map(folder: Path, weight: Tensor, bias: Tensor | None = None, *, tanh: bool = False) -> None:
    """Write a linear map, weight [out, in] and bias [out], as a `Dense` of SentenceTransformer."""
    config = {
        "in_features": weight.shape[1],
        "out_features": weight.shape[0],
        "bias": bias is not None,
        "activation_function": next(name for name, value in _ACTIVATIONS.items() if value == tanh),
    }
    write_json(folder / "config.json", config)
    _save(folder, {"linear.weight": weight} | ({} if bias is None else {"linear.bias": bias}))


def _save(folder: Path, weights: dict[str, Tensor]) -> None:
    held = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    save_file(held, folder / WEIGHTS[0])


def read_dense(folder: Path, paths: tuple[str, ...], width: int) -> Dense:
    """Read modules of SentenceTransformer.

    Args:
        folder: of the encoder.
        paths: of a `Dense` below it, and of the `LayerNorm` that follows if there is one.
        width: of the pooled vector.

    Raises:
        UserError: something is missing, or of other sizes than its config.json has; the map does more than
            is read here.
    """
    inputs, outputs = dense_sizes(folder, paths)
    if inputs != width:
        raise _wrong(folder / paths[0], f"its map is of vectors of {inputs}, and the encoder's have {width}")
    config = _config(folder / paths[0])
    tanh = _ACTIVATIONS[config.get("activation_function") or "torch.nn.modules.linear.Identity"]
    dense = Dense(inputs, outputs, bias=bool(config.get("bias", True)), tanh=tanh, layer_norm=len(paths) > 1)
    for path, name, module in zip(paths, ("linear", "norm"), (dense.linear, dense.norm), strict=False):
        if module is not None:
            _fill(folder / path, name, module)
    return dense


def dense_sizes(folder: Path, paths: tuple[str, ...]) -> tuple[int, int]:
    """Return the widths of what modules of SentenceTransformer read and return, from their config.json.

    Raises:
        UserError: they have other settings than are read here.
    """
    config = _config(folder / paths[0])
    for key, values in _USUAL.items():
        if config.get(key) not in values:
            raise _wrong(folder / paths[0], f"its setting `{key}` is not read here, and changes embeddings")
    activation = config.get("activation_function") or "torch.nn.modules.linear.Identity"
    if not isinstance(activation, str) or activation not in _ACTIVATIONS:
        raise _wrong(folder / paths[0], f"its activation is {activation}, neither none nor tanh")
    sizes = config.get("in_features"), config.get("out_features")
    if not all(type(size) is int and 0 < size <= _WIDEST for size in sizes):
        raise _wrong(
            folder / paths[0], f"it has no widths, in_features {sizes[0]!r}, out_features {sizes[1]!r}"
        )
    if len(paths) > 1 and _config(folder / paths[1]).get("dimension") != sizes[1]:
        raise _wrong(folder / paths[1], f"its LayerNorm is not of the {sizes[1]} values that its map returns")
    return int(config["in_features"]), int(config["out_features"])


_WIDEST = 1_000_000


def count_parameters(folder: Path, paths: tuple[str, ...]) -> int:
    """Return the number of parameters of modules of SentenceTransformer, from their config.json."""
    inputs, outputs = dense_sizes(folder, paths)
    bias = bool(_config(folder / paths[0]).get("bias", True))
    return (inputs + bias) * outputs + (2 * outputs if len(paths) > 1 else 0)


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise _wrong(folder, "it has no config.json")
    config = read_json(path)
    if not isinstance(config, dict):
        raise _wrong(path, "it holds no settings")
    return config


def _fill(folder: Path, name: str, module: nn.Module) -> None:
    """Load the weights of a module's folder."""
    path = next((folder / file for file in WEIGHTS if (folder / file).is_file()), None)
    if path is None:
        raise _wrong(folder, "it has no weights")
    with told("its weights cannot be read", where=str(path), fix=_FIX):
        weights = load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)
        module.load_state_dict({key.removeprefix(f"{name}."): value for key, value in weights.items()})
    if not all(bool(torch.isfinite(value).all()) for value in module.parameters()):
        raise _wrong(path, "its weights are not all finite numbers")


_FIX = "give a whole checkpoint, as SentenceTransformer saves it"


def _wrong(where: Path, what: str) -> UserError:
    return UserError(what, where=str(where), fix=_FIX)
