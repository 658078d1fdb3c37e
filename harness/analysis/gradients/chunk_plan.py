"""How many ranks are looked at in one go, so that memory stays under a bound."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from harness.analysis.gradients.last_layer import LastLayer
from harness.errors import UserError

PLACES = 4096
"""Token places of a pass at most: more make nothing faster."""

SLACK = 0.9
"""Share of the bound that is planned; the rest is for what the allocator keeps and small arrays take."""

MIB = 2**20


@dataclass(frozen=True)
class ChunkPlan:
    """What is held at a time.

    Attributes:
        ranks: of negatives.
        places: token places (padding included) of a pass.
        cache_bytes: bytes of what the next ranks need again.
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
    queries: int,
    longest: int,
    held: int,
) -> ChunkPlan:
    """Return how many ranks fit.

    Args:
        layers: the distinct last layers.
        shapes: of what is kept of their parameters, by name.
        memory: the bound, in bytes, on what the analysis adds to model and collection.
        ranks: wanted in all.
        groups: of queries.
        queries: in all.
        longest: tokens of the longest sequence.
        held: bytes that are held anyhow, embeddings and scores.

    Raises:
        UserError: not even one rank fits.
    """
    size = next(iter(layers)).dtype.itemsize
    parameters, largest = (take(shape.numel() for shape in shapes.values()) for take in (sum, max))
    place = max(_place_bytes(layer, longest, size) for layer in layers)
    # the shared vector and what it is summed from; then sums of a rank, and three copies of its largest part
    fixed = held + (parameters + largest) * size
    rank = (groups * parameters + 3 * largest) * size
    needed = fixed + rank + longest * place
    left = int(memory * SLACK) - needed
    if left < 0:
        raise UserError(
            f"one rank takes {needed / SLACK / MIB:,.1f} MiB, and {memory / MIB:,.1f} MiB is the bound",
            where="gradients",
            fix="raise `memory` or lower `groups`",
        )
    passing = min(left // 4, (PLACES - longest) * place)
    left -= max(passing, 0)
    cache_bytes = 0 if left // rank >= ranks - 1 else min(left // 4, queries * parameters * size)
    return ChunkPlan(
        ranks=int(min(ranks, 1 + (left - cache_bytes) // rank)),
        places=longest + max(int(passing // place), 0),
        cache_bytes=cache_bytes,
    )


def _place_bytes(layer: LastLayer, longest: int, size: int) -> int:
    """Return what a token place takes while a pass goes through a last layer and back."""
    heads = int(layer.tower.transformer.config.num_attention_heads)
    widths = sum(_width(module) for module in layer.modules.values())
    return size * (4 * widths + 2 * heads * longest)


def _width(module: nn.Module) -> int:
    if isinstance(module, nn.Linear):
        return int(module.in_features + module.out_features)
    return 2 * int(next(iter(module.parameters())).shape[-1])
