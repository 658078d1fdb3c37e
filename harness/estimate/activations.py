"""Bytes of what a step keeps for its backward pass.

Letters as in the source: b sequences of s tokens, width h, a heads, L layers; and f, the width of the
feed-forward layers. Source: Korthikanti et al. 2022, "Reducing activation recomputation in large transformer
models", section 4.1, sbh (34 + 5 a s / h) bytes a layer for values of 2 bytes, masks of dropout of 1 byte and
f = 4 h. Written out for any width of values and masks that is

    values: 8 sbh + 2 sbf + 2 a s^2 b, the last term one a s^2 b without dropout
    masks:  2 sbh + a s^2 b

It is within 2 % of what autograd keeps of a BERT with attention written out (tests/estimate). All sequences
count as the longest, so this bounds from above; attention that never writes its s^2 weights down, as on GPUs,
keeps less.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.estimate.parameters import Bert

FLOAT = 4
"""Bytes of a value: training is in float32."""

MASK = {"cpu": 4, "cuda": 1}
"""Bytes of a place of dropout's mask, by kind of device; torch writes it in the values' type on a CPU."""


@dataclass(frozen=True)
class BatchShape:
    """Sequences that go through an encoder in a step.

    Attributes:
        sequences: how many.
        tokens: of each.
    """

    sequences: int
    tokens: int

    @property
    def places(self) -> int:
        """Token places."""
        return self.sequences * self.tokens

    def part(self, places: int) -> BatchShape:
        """Return what of it goes through at once, where so many places do; one sequence at least."""
        return BatchShape(min(self.sequences, max(1, places // self.tokens)), self.tokens)


def layer_bytes(bert: Bert, batch: BatchShape, mask: int) -> int:
    """Return what one layer keeps.

    Args:
        bert: sizes.
        batch: what goes through.
        mask: bytes of a place of dropout's mask.
    """
    wide, square = batch.places * bert.hidden, bert.heads * batch.tokens * batch.places
    values = 8 * wide + 2 * batch.places * bert.intermediate + (2 if bert.dropout else 1) * square
    masks = 2 * wide + square if bert.dropout else 0
    return FLOAT * values + mask * masks


def activation_bytes(bert: Bert, batch: BatchShape, mask: int) -> int:
    """Return what embeddings and layers keep."""
    below = batch.places * bert.hidden * (FLOAT + (mask if bert.dropout else 0))
    return below + bert.layers * layer_bytes(bert, batch, mask)


def layer_input_bytes(bert: Bert, batch: BatchShape) -> int:
    """Return what is kept where each layer keeps its input alone and is computed again (section 5 there)."""
    return FLOAT * bert.layers * batch.places * bert.hidden


def forward_bytes(bert: Bert, batch: BatchShape) -> int:
    """Return the most that lives at once where nothing is kept: a layer's input, and its widest moment."""
    attention = 4 * bert.hidden + 2 * bert.heads * batch.tokens
    feed_forward = bert.hidden + 2 * bert.intermediate
    return FLOAT * batch.places * (bert.hidden + max(attention, feed_forward))
