"""The gradient that several processes make of one batch, by the arithmetic of known libraries and by ours.

    python -m tests.benchmarks.gradients_across_ranks [--write]

A batch of queries, each with a passage, in-batch negatives, softmax cross-entropy, float64. Each rank has
its part of the batch; the gradients of weights are averaged over ranks, as DistributedDataParallel does,
but for ours, where they are added. Printed: the length of each gradient over that of one process with the
whole batch, and the cosine of both. The peers' arithmetic is written anew here from their sources, of the
commits that are named; their own code is not run. Ours is run, on processes.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from harness.collections.tokens import Ragged
from harness.encoders.dual_encoder import Tower
from harness.encoders.transformer import fresh_config, fresh_transformer
from harness.retrieval.ranks import ALONE, Deal, Ranks
from harness.training.forward import Passing, embed
from tests.benchmarks.paired import tell
from tests.training.ranks import on_ranks

QUERIES, COUNTS = 16, (2, 4)


@dataclass(frozen=True)
class Compared:
    """A gradient of several processes beside that of one.

    Attributes:
        arithmetic: whose.
        ranks: number of processes.
        length: over that of one process.
        cosine: of both.
    """

    arithmetic: str
    ranks: int
    length: float
    cosine: float

    @staticmethod
    def of(arithmetic: str, ranks: int, made: np.ndarray, one: np.ndarray) -> Compared:
        """Return how a gradient compares with that of one process."""
        length, whole_length = math.sqrt(made @ made), math.sqrt(one @ one)
        return Compared(arithmetic, ranks, length / whole_length, float(made @ one) / (length * whole_length))

    def __str__(self) -> str:
        return f"{self.arithmetic}, {self.ranks} ranks: length {self.length:.2f}, cosine {self.cosine:.2f}"


Parts = Sequence[Tensor]
"""The vectors that each rank has embedded, in the order of ranks."""
Peer = Callable[[Parts, Parts, int], Tensor]
"""Loss of a rank: of queries, passages, and its number."""


def softmax(queries: Tensor, passages: Tensor, first: int = 0) -> Tensor:
    """Mean cross-entropy of queries, whose positives begin at some passage."""
    return cross_entropy(queries @ passages.T, torch.arange(len(queries)) + first)


def own_with_gradient(parts: Parts, rank: int) -> Tensor:
    """All vectors, of which a rank's own alone have a gradient."""
    return torch.cat([part if number == rank else part.detach() for number, part in enumerate(parts)])


def whole(queries: Parts, passages: Parts, rank: int) -> Tensor:
    """The whole batch's loss on each rank, with a gradient to its own vectors, not scaled."""
    return softmax(own_with_gradient(queries, rank), own_with_gradient(passages, rank))


def whole_scaled(queries: Parts, passages: Parts, rank: int) -> Tensor:
    """The same, times the number of ranks."""
    return len(queries) * whole(queries, passages, rank)


def own_rows(queries: Parts, passages: Parts, rank: int) -> Tensor:
    """A rank's queries against all passages, with a gradient to all through the gathering."""
    return softmax(queries[rank], torch.cat(list(passages)), rank * len(queries[rank]))


def own_rows_scaled(queries: Parts, passages: Parts, rank: int) -> Tensor:
    """The same, times the number of ranks."""
    return len(queries) * own_rows(queries, passages, rank)


def own_rows_detached(queries: Parts, passages: Parts, rank: int) -> Tensor:
    """A rank's queries against all passages, those of other ranks without a gradient."""
    return softmax(queries[rank], own_with_gradient(passages, rank), rank * len(queries[rank]))


PEERS: dict[str, Peer] = {
    "tevatron (dd06310)": whole_scaled,
    "sentence-transformers 6.2 (gathered)": own_rows,
    "FlagEmbedding (7ed43d6), GradCache's loss (906f038)": whole,
    "contrastors (613ddfd)": own_rows_scaled,
    "NeMo Automodel's default (36044ad)": own_rows_detached,
}


def made() -> tuple[Tower, dict[str, Ragged]]:
    """A small encoder in float64 without dropout, and the texts of a batch."""

    class Sizes:
        hidden, layers, heads, intermediate, dropout = 32, 2, 2, 64, 0.0

    torch.manual_seed(0)
    config = fresh_config(Sizes(), vocabulary=500, pad=0, longest=32)
    rng = np.random.default_rng(0)
    texts = {}
    for name in ("query", "passage"):
        offset = np.concatenate([[0], np.cumsum(rng.integers(6, 32, QUERIES))])
        texts[name] = Ragged(rng.integers(5, 500, int(offset[-1])).astype(np.int32), offset)
    return Tower(fresh_transformer(config), pooling="mean").double().train(), texts


def gradient(model: nn.Module, loss: Tensor, ranks: Ranks = ALONE) -> np.ndarray:
    """All gradients of a loss in a row."""
    model.zero_grad(set_to_none=True)
    loss.backward()
    ranks.add_gradients(model.parameters())
    flat = [parameter.grad.reshape(-1) for parameter in model.parameters() if parameter.grad is not None]
    return torch.cat(flat).numpy().copy()


def by_peer(peer: Peer, count: int) -> np.ndarray:
    """The mean over ranks of the gradients of their losses."""
    tower, texts = made()
    rows = np.array_split(np.arange(QUERIES), count)
    queries, passages = (
        [embed(tower, texts[name], part, 0) for part in rows] for name in ("query", "passage")
    )
    losses = [peer(queries, passages, rank) for rank in range(count)]
    return gradient(tower, torch.stack(losses).mean())


def by_ours(ranks: Ranks = ALONE) -> np.ndarray:
    """The gradient of the whole batch, whose buckets some processes share."""
    tower, texts = made()
    passing = Passing(places=128, deal=Deal(ranks))
    queries, passages = (
        embed(tower, texts[name], np.arange(QUERIES), 0, passing=passing) for name in ("query", "passage")
    )
    return gradient(tower, softmax(queries, passages), ranks)


def main() -> None:
    """Print the table."""
    one, lines = by_ours(), []
    for name, peer in PEERS.items():
        lines += [Compared.of(name, count, by_peer(peer, count), one) for count in COUNTS]
    with tempfile.TemporaryDirectory() as folder:
        for count in COUNTS:
            shared = on_ranks(count, Path(folder) / str(count), by_ours)
            lines.append(Compared.of("this trainer", count, shared[-1], one))
    tell("gradients_across_ranks", "The gradient of several processes beside that of one", lines)


if __name__ == "__main__":
    main()
