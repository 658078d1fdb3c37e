"""From token sequences to the embeddings that a topology scores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.collections.tokens import Sequences, Texts
from harness.encoders.dual_encoder import Embedder, TwoTowers
from harness.encoders.flops import model_flops
from harness.encoders.precision import products
from harness.encoders.ranker import Ranker
from harness.negatives.noise import DROPOUT_STAGE, mixed
from harness.retrieval.encode import length_buckets
from harness.retrieval.ranks import Deal
from harness.retrieval.timeline import count
from harness.retrieval.timeline import part as timed
from harness.training.protocols import PLACES, Precision

Numbers = npt.NDArray[np.int64]
Part = Literal["query", "passage", "ranker"]
PARTS: tuple[Part, ...] = ("query", "passage", "ranker")
"""Whose input it is; the place of a part is a counter of its dropout, so new ones come last."""


@dataclass(frozen=True)
class Passing:
    """How the texts of a step pass through a model: what decides rounding and dropout beside both.

    Dropout is a function of (seed, step, part, bucket): whoever embeds a bucket, and however often, leaves
    out the same.

    Attributes:
        seed: of the training run.
        step: of the phase.
        places: token places of a bucket at most, padding included; short texts are not padded to the longest.
        precision: of the products of matrices within a model; what comes out has its weights' precision.
        deal: which rank embeds which bucket, and whether it keeps what leads there; neither decides anything.
    """

    seed: int = 0
    step: int = 0
    places: int = PLACES
    precision: Precision = "float32"
    deal: Deal = field(default_factory=Deal)

    @contextmanager
    def bucket(self, model: Embedder | Ranker, part: Part, number: int) -> Iterator[Tensor]:
        """Within the block, let a model read a bucket; yields one of its weights, for device and type."""
        weight = model.like if isinstance(model, Embedder) else next(model.parameters())
        if model.training:
            counters = (self.seed, self.step, DROPOUT_STAGE, PARTS.index(part), number)
            _seed(int(mixed(*counters)) >> 1, weight.device)
        half = torch.autocast(weight.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")
        with products(self.precision), half:
            yield weight


def _seed(seed: int, device: torch.device) -> None:
    """Seed what dropout on a device draws from; on a CPU not the other devices, which takes long."""
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


AS_IT_IS = Passing()
"""Without dropout, in buckets of the usual size."""


def embed(
    tower: Embedder,
    sequences: Sequences,
    rows: Numbers,
    pad: int,
    *,
    part: Part = "passage",
    passing: Passing = AS_IT_IS,
) -> Tensor:
    """Embed sequences with gradient, each distinct sequence once, bucketed by length.

    Args:
        tower: which embeds.
        sequences: what it reads.
        rows: [R] numbers of sequences.
        pad: id of the padding token.
        part: whose tower it is.
        passing: how they pass through it.

    Returns:
        [R, dimension].
    """
    distinct, place = np.unique(rows, return_inverse=True)
    lengths = sequences.lengths[distinct]
    buckets = list(length_buckets(lengths, passing.places))

    count(int(lengths.sum()), model_flops(tower, lengths, trains=torch.is_grad_enabled()))

    def compute(number: int) -> Tensor:
        with timed("data"):
            arrays = sequences.padded(distinct[buckets[number]], pad)
        with passing.bucket(tower, part, number) as like:
            read = (torch.from_numpy(array).to(like.device) for array in arrays)
            embedded: Tensor = tower(*read).to(like.dtype)
            return embedded

    known = passing.deal.rows(buckets, lengths, compute, tower, (tower.dimension,))
    return known.index_select(0, torch.from_numpy(place).to(known.device))


@dataclass(frozen=True)
class QueryBatch:
    """Queries of a step with their passages, to be embedded and scored.

    Attributes:
        encoder: the retriever in training.
        texts: of the collection, as the retriever reads them.
        query: [B] numbers of training queries.
        passage: [B, 1 + n] document numbers, each query's positive first.
        masked: for each query, the documents that do not count against it.
        passing: how texts pass through the encoder.
    """

    encoder: TwoTowers[Any]
    texts: Texts
    query: Numbers
    passage: Numbers
    masked: list[Numbers]
    passing: Passing = AS_IT_IS

    def queries(self) -> Tensor:
        """Embed the queries, [B, dimension]."""
        tower, sequences = self.encoder.query, self.texts.queries["train"]
        return embed(tower, sequences, self.query, self.texts.pad, part="query", passing=self.passing)

    def passages(self, tower: Embedder | None = None) -> Tensor:
        """Embed the passages, by the encoder's tower or by another one, [B, 1 + n, dimension]."""
        tower, flat = tower or self.encoder.passage, self.passage.reshape(-1)
        embedded = embed(tower, self.texts.documents, flat, self.texts.pad, passing=self.passing)
        return embedded.view(*self.passage.shape, -1)

    def masks(self, documents: Numbers) -> Tensor:
        """Return which documents [P] do not count against which query, [B, P]."""
        return torch.from_numpy(found_in(self.masked, documents)).to(self.encoder.query.like.device)


def found_in(lists: list[Numbers], documents: Numbers) -> npt.NDArray[np.bool_]:
    """Return which documents [P], some of them repeated, are in which of B lists, [B, P]; by one sort."""
    order, listed = np.argsort(documents, kind="stable"), np.concatenate(lists)
    begin, end = (np.searchsorted(documents, listed, side, sorter=order) for side in ("left", "right"))
    times = end - begin
    row = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    turn = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    found = np.zeros((len(lists), len(documents)), dtype=np.bool_)
    found[np.repeat(row, times), order[np.repeat(begin, times) + turn]] = True
    return found
