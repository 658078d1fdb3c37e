"""Exact per-sequence gradients of scores by the parameters of a last layer, from one backward pass.

The score of a sequence is the inner product of its embedding with a vector, here its cotangent, and the
sequences of a batch are independent. So one backward pass of the sum of their scores yields each sequence's
gradient at the output of every module, and with the module's input the gradient of its parameters: for a
linear map the sum over tokens of (output's gradient) (input)' (Goodfellow 2015, "Efficient per-example
gradient computations").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.collections.tokens import Ragged, Sequences
from harness.errors import UserError
from harness.gradients.last_layer import LastLayer
from harness.negatives.candidates import Integers


@dataclass(frozen=True)
class ParameterGradients:
    """Gradients of one parameter for B sequences.

    Attributes:
        values: [B, *shape] gradients, or [B, u, width] if only u rows of an embedding have any.
        rows: [u] numbers of those rows, ascending.
    """

    values: Tensor
    rows: Tensor | None = None

    def squares(self) -> Tensor:
        """Return the squared length of each sequence's gradient, [B]."""
        length: Tensor = torch.linalg.vector_norm(self.values.flatten(1), dim=1)
        return length.square()

    def plus(self, other: ParameterGradients, factor: Tensor) -> ParameterGradients:
        """Return these plus factors [B] times the gradient of one sequence, B = 1; overwrites these."""
        times = factor.view(-1, *[1] * (other.values.dim() - 1))
        if self.rows is None or other.rows is None:
            return ParameterGradients(self.values.addcmul_(times, other.values))
        rows = torch.unique(torch.cat([self.rows, other.rows]))
        values = self.values.new_zeros(len(self.values), len(rows), self.values.shape[2])
        values.index_add_(1, torch.searchsorted(rows, self.rows), self.values)
        values.index_add_(1, torch.searchsorted(rows, other.rows), times * other.values)
        return ParameterGradients(values, rows)


GradientsByName = dict[str, ParameterGradients]
"""Name of a parameter -> its gradients."""


@dataclass(frozen=True)
class Capture:
    """Inputs and output gradients of one module for B sequences of T places.

    Attributes:
        module: the module.
        inputs: [B, T, in] its input, or [B, T] numbers of an embedding's rows.
        back: [B, T, out] gradient of its output.
    """

    module: nn.Module
    inputs: Tensor
    back: Tensor

    def whole(self) -> Capture:
        """Return the capture as one sequence, whose gradient is the sum of all."""
        return Capture(self.module, self.inputs.flatten(0, 1)[None], self.back.flatten(0, 1)[None])

    def and_then(self, other: Capture) -> Capture:
        """Return the capture whose gradients are the sums of these and of B others."""
        inputs, back = (self.inputs, other.inputs), (self.back, other.back)
        return Capture(self.module, torch.cat(inputs, dim=1), torch.cat(back, dim=1))

    def gradients(self) -> Iterator[tuple[str, ParameterGradients]]:
        """Yield the name of each parameter and its gradients."""
        for name, _ in self.module.named_parameters(recurse=False):
            yield name, ParameterGradients(self.back.sum(dim=1)) if name == "bias" else self._of_weight()

    def _of_weight(self) -> ParameterGradients:
        if isinstance(self.module, nn.Linear):
            return ParameterGradients(torch.bmm(self.back.mT, self.inputs))
        return self._of_norm() if isinstance(self.module, nn.LayerNorm) else self._of_embedding()

    def _of_norm(self) -> ParameterGradients:
        norm: Any = self.module
        normalised = functional.layer_norm(self.inputs, norm.normalized_shape, eps=norm.eps)
        return ParameterGradients((self.back * normalised).sum(dim=1))

    def _of_embedding(self) -> ParameterGradients:
        fill: Any = self.module.padding_idx
        back = self.back if fill is None else self.back * (self.inputs != fill).unsqueeze(2)
        rows, place = torch.unique(self.inputs, return_inverse=True)
        size, width = len(self.inputs), back.shape[2]
        place = place + len(rows) * torch.arange(size, device=place.device)[:, None]
        values = back.new_zeros(size * len(rows), width)
        values.index_add_(0, place.flatten(), back.flatten(0, 1))
        return ParameterGradients(values.view(size, len(rows), width), rows)


Trace = dict[str, Capture]
"""Name of a module of a last layer -> its capture, for modules that the score depends on."""


def traced(layer: LastLayer, sequences: Sequences, numbers: Integers, pad: int, cotangent: Tensor) -> Trace:
    """Run sequences forward and backward; B copies of one sequence pass the lower layers once.

    Args:
        layer: last layer of the tower.
        sequences: token sequences, or states of theirs that enter the layer, which pass no lower layer.
        numbers: [B] numbers of sequences, with repetitions.
        pad: token id of padding.
        cotangent: [B, dimension] vectors whose products with the embeddings are the scores.
    """
    size = len(numbers)
    run = numbers[:1] if (numbers == numbers[0]).all() else numbers
    read, mask = (torch.from_numpy(array).to(layer.device) for array in sequences.padded(run, pad))
    embeds = layer.tower if isinstance(sequences, Ragged) else layer.over_states
    with _repeated(layer, size), _watched(layer, size) as seen:
        embedded = embeds(read, mask)
    names, outputs = list(seen), [output for _, output in seen.values()]
    back = torch.autograd.grad(embedded, outputs, cotangent, allow_unused=True)
    return {
        name: _captured(layer, name, seen[name][0], gradient, size)
        for name, gradient in zip(names, back, strict=True)
        if gradient is not None
    }


@contextmanager
def _repeated(layer: LastLayer, size: int) -> Iterator[None]:
    """Within the block, repeat a single sequence `size` times at the entrance of the last layer."""

    def repeated(value: Any) -> Any:
        single = isinstance(value, Tensor) and value.dim() > 1 and len(value) == 1
        return value.expand(size, *value.shape[1:]) if single else value

    def enter(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(map(repeated, arguments)), {name: repeated(value) for name, value in named.items()}

    hook = layer.entrance.register_forward_pre_hook(enter, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def _watched(layer: LastLayer, size: int) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
    """Within the block, record input and output of the modules of a last layer."""
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def note(name: str, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        if name in seen:
            raise UserError(f"{name} is used twice in a pass", where="gradients")
        first = inputs[0]
        same = isinstance(module, nn.Embedding) and len(first) == 1 < size  # one lookup for all sequences
        if same:
            first, output = (tensor.expand(size, *tensor.shape[1:]) for tensor in (first, output))
        seen[name] = (first.detach(), output)
        return output if same else None

    hooks = [module.register_forward_hook(partial(note, name)) for name, module in layer.modules.items()]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _captured(layer: LastLayer, name: str, inputs: Tensor, back: Tensor, size: int) -> Capture:
    """Return a capture, with a time axis of length 1 where there is none, as after pooling."""
    if len(back) != size:
        raise UserError(f"{name} does not see the sequences of a batch one by one", where="gradients")
    module = layer.modules[name]
    looked_up = isinstance(module, nn.Embedding)
    return Capture(
        module,
        inputs if looked_up else inputs.reshape(size, -1, inputs.shape[-1]),
        back.reshape(size, -1, back.shape[-1]),
    )
