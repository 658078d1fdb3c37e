"""The plan of chunks of ranks that keeps memory under a bound."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from harness.errors import UserError
from harness.gradients.last_layer import LastLayer

PLACES = 4096
"""Maximum of token places in a pass; more are not faster."""

SLACK = 0.9
"""Share of the bound that is planned; the rest is for the allocator and small arrays."""

MIB = 2**20


@dataclass(frozen=True)
class ChunkPlan:
    """Sizes of a chunk.

    Attributes:
        ranks: number of ranks in a chunk.
        places: token places (padding included) in a pass.
        cache_bytes: bytes for sums that later chunks need again.
    """

    ranks: int
    places: int
    cache_bytes: int


def plan_chunks(
    layers: Collection[LastLayer],
    shapes: Mapping[str, torch.Size],
    memory: int,
    ranks: int,
    groups: int,
    *,
    cached: int,
    longest: int,
    held: int,
) -> ChunkPlan:
    """Return the plan with the most ranks that fit.

    Args:
        layers: the distinct last layers.
        shapes: name of a parameter -> shape of its gradients.
        memory: bound in bytes on what the analysis adds to model and collection.
        ranks: total number of ranks.
        groups: number of groups of queries.
        cached: bytes of the sums that all chunks need, of all queries.
        longest: tokens of the longest sequence.
        held: bytes of embeddings and scores, which are in memory throughout.

    Raises:
        UserError: not even one rank fits.
    """
    size = next(iter(layers)).dtype.itemsize
    parameters, largest = (take(shape.numel() for shape in shapes.values()) for take in (sum, max))
    place = max(_place_bytes(layer, longest, size) for layer in layers)
    # the shared sums and their summands; then the sums of a rank, and three copies of its largest parameter
    fixed = held + (parameters + largest) * size
    rank = (groups * parameters + 3 * largest) * size
    needed = fixed + rank + longest * place
    left = int(memory * SLACK) - needed
    if left < 0:
        raise UserError(
            f"one rank needs {needed / SLACK / MIB:,.1f} MiB, and the bound is {memory / MIB:,.1f} MiB",
            where="gradients",
            fix="raise `memory` or lower `groups`",
        )
    passing = min(left // 4, (PLACES - longest) * place)
    left -= max(passing, 0)
    cache_bytes = (
        0 if left // rank >= ranks - 1 else min(left // 2, cached)
    )  # to make a sum again takes longer
    return ChunkPlan(
        ranks=int(min(ranks, 1 + (left - cache_bytes) // rank)),
        places=longest + max(int(passing // place), 0),
        cache_bytes=cache_bytes,
    )


def _place_bytes(layer: LastLayer, longest: int, size: int) -> int:
    """Return the bytes of a token place in a forward and backward pass through a last layer."""
    heads = int(layer.tower.transformer.config.num_attention_heads)
    widths = sum(_width(module) for module in layer.modules.values())
    return size * (4 * widths + 2 * heads * longest)


def _width(module: nn.Module) -> int:
    if isinstance(module, nn.Linear):
        return int(module.in_features + module.out_features)
    return 2 * int(next(iter(module.parameters())).shape[-1])
