"""Encoding of many sequences in batches of similar length, to minimise padding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from harness.collections.tokens import Sequences, Texts
from harness.encoders.dual_encoder import Embedder, TwoTowers
from harness.errors import RunError
from harness.retrieval.ranks import ALONE, Deal, Ranks
from harness.storage.arrays import zeros

TOKENS_PER_BATCH = 16_384
"""Tokens (including padding) in a batch, at most; it bounds memory, and decides no more than last digits."""

CACHED = 2**20
"""Numbers in the states of a batch, at most, where a CPU computes them: beyond it they leave its cache, and
a transformer of width 384 takes 1.7 times as long (`tests/benchmarks/encoding.py`)."""


AT_ONCE = 2**24
"""Numbers of embeddings that are added up or checked at once, about."""


def places_at_once(device: str, width: int) -> int:
    """Return the tokens (including padding) that are encoded at once.

    Args:
        device: kind of device, ``cpu`` or ``cuda``.
        width: of a token's states.
    """
    return min(TOKENS_PER_BATCH, max(1, CACHED // width)) if device == "cpu" else TOKENS_PER_BATCH


def length_buckets(
    lengths: npt.NDArray[np.int64], places: int = TOKENS_PER_BATCH
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield batches of row numbers, longest first, each with at most `places` tokens including padding."""
    order = np.argsort(-lengths, kind="stable")
    begin = 0
    while begin < len(order):
        count = max(1, places // max(int(lengths[order[begin]]), 1))
        yield order[begin : begin + count]
        begin += count


def encode(
    tower: Embedder,
    sequences: Sequences,
    pad: int,
    rows: npt.NDArray[np.int64] | None = None,
    ranks: Ranks = ALONE,
) -> npt.NDArray[np.float32]:
    """Embed sequences without dropout.

    Args:
        tower: query or passage tower, or a part of it.
        sequences: what it reads of a split's queries or of the documents.
        pad: id of the padding token.
        rows: numbers of the sequences to embed, in this order; by default all.
        ranks: that all call this, and embed a part each.

    Returns:
        [len(rows), dimension] float32 embeddings; mapped from a file where HARNESS_MEMORY is less.

    Raises:
        RunError: an embedding is not finite; it would be ranked, and measured, as if it were one.
    """
    rows = np.arange(len(sequences)) if rows is None else rows
    device = tower.like.device
    lengths = sequences.lengths[rows]
    buckets = list(length_buckets(lengths, places_at_once(device.type, tower.dimension)))
    embedded = zeros((len(rows), tower.dimension), np.float32)
    was_training = tower.training
    tower.eval()
    with torch.inference_mode():
        for number in Deal(ranks).own(buckets, lengths):
            bucket = buckets[number]
            read = (torch.from_numpy(array).to(device) for array in sequences.padded(rows[bucket], pad))
            output: Any = tower(*read)
            embedded[bucket] = output.float().cpu().numpy()
    tower.train(was_training)
    bad = 0
    for some in np.array_split(embedded, max(1, embedded.size // AT_ONCE)):
        ranks.add(torch.from_numpy(some))
        bad += int((~np.isfinite(some)).any(axis=1).sum())
    if bad:
        what = f"the embeddings of {bad:,} of {len(rows):,} texts are not finite numbers"
        raise RunError(what, where="encoder", fix="look for NaN in its weights, or lower the learning rate")
    return embedded


@dataclass(frozen=True)
class Embedded:
    """What the first of several readers tells the others to embed with it.

    Attributes:
        split: whose queries; none for the documents.
    """

    split: str | None = None


@dataclass(frozen=True)
class Reader:
    """An encoder, or the part of one that a phase trains, and what it reads of a collection.

    Attributes:
        encoder: embeds queries and documents.
        texts: tokens of the collection, or states that stand for them.
        ranks: of which each has such a reader; the first tells the others what to embed with it.
    """

    encoder: TwoTowers[Any]
    texts: Texts
    ranks: Ranks = ALONE

    def queries(self, split: str) -> npt.NDArray[np.float32]:
        """Embed the queries of a split, [Q, dimension]."""
        return self.embed(self.ranks.told(Embedded(split)))

    def documents(self) -> npt.NDArray[np.float32]:
        """Embed all documents, [N, dimension]."""
        return self.embed(self.ranks.told(Embedded()))

    def embed(self, what: Embedded) -> npt.NDArray[np.float32]:
        """Embed texts with the other ranks, which were told the same."""
        texts, split = self.texts, what.split
        if split is None:
            return encode(self.encoder.passage, texts.documents, texts.pad, ranks=self.ranks)
        return encode(self.encoder.query, texts.queries[split], texts.pad, ranks=self.ranks)
