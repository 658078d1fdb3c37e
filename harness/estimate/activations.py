"""Bytes of the activations that a step stores for its backward pass.

From Korthikanti et al. 2022, "Reducing activation recomputation in large transformer models", section 4.1,
with its letters: b sequences of s tokens, width h, a heads, L layers; and f, the width of the feed-forward
layers. It has sbh (34 + 5 a s / h) bytes for each layer, for values of 2 bytes, dropout masks of 1 byte and
f = 4 h. For any width of values and masks that is

    values: 8 sbh + 2 sbf + 2 a s^2 b; without dropout the last term is a s^2 b
    masks:  2 sbh + a s^2 b

This is within 2 % of what autograd stores for a BERT with explicit attention (tests/estimate), which is what
a CPU computes under dropout. On GPUs attention is fused: the terms with s^2 are not stored. It is an upper
bound, as it takes all sequences to be the longest.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.estimate.parameters import Bert

FLOAT = 4
"""Bytes of a value; training uses float32."""


@dataclass(frozen=True)
class Storing:
    """How a kind of device stores activations.

    Attributes:
        mask: bytes of an element of a dropout mask.
        fused: whether attention is, so that no weight of a pair of tokens is stored.
    """

    mask: int
    fused: bool


STORING = {"cpu": Storing(FLOAT, fused=False), "cuda": Storing(1, fused=True)}
"""Kind of device -> how it stores activations."""


@dataclass(frozen=True)
class BatchShape:
    """The shape of a batch that an encoder processes.

    Attributes:
        sequences: number of sequences.
        tokens: number of tokens in each sequence.
    """

    sequences: int
    tokens: int

    @property
    def places(self) -> int:
        """Number of tokens in the batch."""
        return self.sequences * self.tokens

    def part(self, places: int) -> BatchShape:
        """Return the part of the batch that fits a number of tokens; at least one sequence."""
        return BatchShape(min(self.sequences, max(1, places // self.tokens)), self.tokens)


def layer_bytes(bert: Bert, batch: BatchShape, storing: Storing) -> int:
    """Return the bytes that one layer stores.

    Args:
        bert: sizes of the encoder.
        batch: shape of the batch.
        storing: of the device.
    """
    wide = batch.places * bert.hidden
    square = 0 if storing.fused else bert.heads * batch.tokens * batch.places
    values = 8 * wide + 2 * batch.places * bert.intermediate + (2 if bert.dropout else 1) * square
    masks = 2 * wide + square if bert.dropout else 0
    return FLOAT * values + storing.mask * masks


def activation_bytes(bert: Bert, batch: BatchShape, storing: Storing) -> int:
    """Return the bytes that embeddings and layers store."""
    below = batch.places * bert.hidden * (FLOAT + (storing.mask if bert.dropout else 0))
    return below + bert.layers * layer_bytes(bert, batch, storing)


def forward_bytes(bert: Bert, batch: BatchShape) -> int:
    """Return the peak bytes of a forward pass that stores nothing: a layer's input and largest values."""
    attention = 4 * bert.hidden + 2 * bert.heads * batch.tokens
    feed_forward = bert.hidden + 2 * bert.intermediate
    return FLOAT * batch.places * (bert.hidden + max(attention, feed_forward))
