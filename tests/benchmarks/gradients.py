"""Gradients per rank, against autograd one negative at a time.

The brute force is a sensible one: only the last layer requires gradients, a negative takes one backward pass,
and its passages are run at once. Its list may be run anew for each negative (`anew`), or the query and all
its passages may be run once and the graph be kept (`kept`); ours is compared with the faster. Both take
gradients by both towers, which are one, note their lengths and add them up; ours also keeps sums by 16 groups
of queries, in 2 GiB. Brute force is timed on every tenth negative of two queries, CPU seconds, in one run:
`OMP_NUM_THREADS=1 python -m tests.benchmarks.gradients`.

`passes` is what ours cannot go below: each negative's passage once through the tower and back to the last
layer, in batches, and no gradient formed.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.collections.tokens import Ragged, TokenStore
from harness.encoders.build import build_dual_encoder
from harness.encoders.dual_encoder import DualEncoder
from harness.gradients.accumulate import accumulate_layers
from harness.gradients.chunk_plan import PLACES
from harness.gradients.coefficients import contrasted, loss_coefficients
from harness.gradients.last_layer import last_layer, only_last_layers
from harness.gradients.layer_gradients import LayerGradients
from harness.gradients.lists import RankedLists
from harness.gradients.per_sample import traced
from harness.negatives.candidates import Floats, Integers
from harness.retrieval.encode import length_buckets
from harness.runs.retriever import Retriever
from harness.specs.settings import EncoderSettings
from harness.training.forward import embed

RANKS, QUERIES, GROUPS, MEMORY = 200, 32, 16, 2**31
DOCUMENTS = 3000
EVERY, ASKED = 10, 2
SHAPES: dict[str, dict[str, Any]] = {
    "BERT, 2 layers of 128": {"hidden": 128, "layers": 2, "intermediate": 512, "vocabulary": 8000},
    "simulation: 1 layer of 64": {"hidden": 64, "layers": 1, "intermediate": 128, "vocabulary": 8000},
    "scratch: words of 384": {"hidden": 384, "layers": 0, "intermediate": 256, "vocabulary": 20_000},
}
LENGTHS = dict(zip(SHAPES, ((32, 128), (16, 48), (32, 128)), strict=True))
"""Tokens of a query and of a passage at most."""

SPREAD = 2.0
"""Standard deviation of a query's scores: 1.8 for the base run at scratch scale. Those of random encoders
would differ by up to 40, and gradients that underflow are slow, in ours and in brute force."""


def sequences(count: int, longest: int, vocabulary: int, seed: int) -> Ragged:
    """Random token sequences, half of them at least half as long as the longest."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.lognormal(np.log(longest / 2), 0.6, count), 6, longest).astype(np.int64)
    tokens = np.minimum(rng.zipf(1.3, int(lengths.sum())) + 4, vocabulary - 1)
    return Ragged(tokens.astype(np.int32), np.concatenate([[0], np.cumsum(lengths)]))


def subject(name: str) -> tuple[Retriever, RankedLists]:
    """A random retriever, and queries with documents that it has not ranked."""
    settings = dict(SHAPES[name])
    vocabulary, (query, passage) = settings.pop("vocabulary"), LENGTHS[name]
    pooling = "mean" if settings["layers"] else "idf-mean"
    idf = np.ones(vocabulary, dtype=np.float32)
    torch.manual_seed(0)
    encoder = build_dual_encoder(
        EncoderSettings(heads=2, dropout=0.1, token_dropout=0.0, pooling=pooling, **settings),
        vocabulary=vocabulary,
        pad=0,
        idf=idf,
        longest=passage,
    ).eval()
    documents = sequences(DOCUMENTS, passage, vocabulary, 1)
    queries = sequences(QUERIES, query, vocabulary, 2)
    tokens = TokenStore(documents, {"dev": queries}, idf, Path(), vocabulary, 0)
    rng = np.random.default_rng(3)
    document = np.stack([rng.choice(DOCUMENTS, 1 + RANKS, replace=False) for _ in range(QUERIES)])
    q, p, score = embedded(encoder, queries, documents, document)
    encoder.query.scale *= float(np.sqrt(SPREAD / score.std(axis=1).mean()))
    q, p, score = embedded(encoder, queries, documents, document)
    lists = RankedLists("dev", np.arange(QUERIES), document, score, q, p, document, np.ones(QUERIES))
    return Retriever(name, encoder, None, tokens), lists  # type: ignore[arg-type]


def embedded(
    encoder: DualEncoder, queries: Ragged, documents: Ragged, document: Integers
) -> tuple[Tensor, Tensor, Floats]:
    """Embeddings of queries and documents, and the scores of some documents for each query."""
    with torch.no_grad():
        q = embed(encoder.query, queries, np.arange(len(document)), 0)
        p = embed(encoder.passage, documents, np.arange(len(documents.lengths)), 0)
    return q, p, np.stack([(p[at] @ one).double().numpy() for one, at in zip(q, document, strict=True)])


def ours(retriever: Retriever, lists: RankedLists, contrast: Any) -> float:
    """Seconds a negative."""
    begin = time.process_time()
    inside = contrasted(contrast, lists.query, lists.document[:, 1:], 0)
    coefficients = loss_coefficients(lists.score, inside, contrast=contrast)
    group = lists.query % GROUPS
    accumulate_layers(LayerGradients(retriever, lists, coefficients, "both"), (group, GROUPS), MEMORY)
    return (time.process_time() - begin) / lists.document[:, 1:].size


def passes(retriever: Retriever, lists: RankedLists) -> float:
    """Seconds a negative of the passes alone."""
    layer, tokens = last_layer(retriever.encoder.passage), retriever.tokens.documents
    begin = time.process_time()
    with only_last_layers(retriever.encoder, [layer]):
        for row in range(QUERIES):
            numbers = lists.document[row, 1:]
            for bucket in length_buckets(tokens.lengths[numbers], PLACES):
                traced(layer, tokens, numbers[bucket], 0, lists.queries[row].expand(len(bucket), -1))
    return (time.process_time() - begin) / lists.document[:, 1:].size


class BruteForce:
    """Autograd, one negative at a time.

    Args:
        retriever: whose last layer.
        lists: of which a few negatives are taken.
        contrast: as ours.
    """

    def __init__(self, retriever: Retriever, lists: RankedLists, contrast: Any) -> None:
        self.encoder: DualEncoder = retriever.encoder
        self.tokens, self.lists = retriever.tokens, lists
        self.inside = contrasted(contrast, lists.query, lists.document[:, 1:], 0)
        self.layer = last_layer(self.encoder.query)
        self.parameters = list(self.layer.parameters.values())
        self.sums = [torch.zeros_like(parameter) for parameter in self.parameters]

    def members(self, row: int, negative: int) -> list[int]:
        """Columns of a negative's list, its own last."""
        shared = [0, *(np.flatnonzero(self.inside[row]) + 1).tolist()]
        return [column for column in shared if column != negative] + [negative]

    def scores(self, row: int, columns: list[int]) -> Tensor:
        """Scores of a query's documents, with their graph."""
        q = embed(self.encoder.query, self.tokens.queries["dev"], self.lists.query[[row]], 0)
        p = embed(self.encoder.passage, self.tokens.documents, self.lists.document[row, columns], 0)
        return p @ q[0]

    def back(self, scores: Tensor, *, keep: bool) -> None:
        """Take the gradient of the last one's loss, note its length and add it up."""
        loss = scores.logsumexp(0) - scores[:-1].logsumexp(0)
        slopes = torch.autograd.grad(loss, self.parameters, retain_graph=keep)
        torch.stack([slope.square().sum() for slope in slopes]).sum().sqrt().item()
        for total, slope in zip(self.sums, slopes, strict=True):
            total.add_(slope)

    def anew(self) -> float:
        """Seconds a negative where each list is run by itself."""
        negatives = range(1, RANKS + 1, EVERY)
        begin = time.process_time()
        for row in range(ASKED):
            for negative in negatives:
                self.back(self.scores(row, self.members(row, negative)), keep=False)
        return (time.process_time() - begin) / (ASKED * len(negatives))

    def kept(self) -> float:
        """Seconds a negative where a query's documents are run once."""
        negatives = range(1, RANKS + 1, EVERY)
        forward, back = 0.0, 0.0
        for row in range(ASKED):
            begin = time.process_time()
            scores = self.scores(row, list(range(RANKS + 1)))
            middle = time.process_time()
            for negative in negatives:
                self.back(scores[self.members(row, negative)], keep=True)
            forward, back = forward + middle - begin, back + time.process_time() - middle
        return forward / (ASKED * RANKS) + back / (ASKED * len(negatives))


def main() -> None:
    """Print milliseconds a negative and their ratio."""
    print("| encoder | contrast | anew | kept | ours | passes | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name in SHAPES:
        retriever, lists = subject(name)
        for contrast in ("sampled", "all", "alone"):
            brute = BruteForce(retriever, lists, contrast)
            with only_last_layers(retriever.encoder, [brute.layer]):
                anew, kept = brute.anew(), brute.kept()
            mine, least = ours(retriever, lists, contrast), passes(retriever, lists)
            times = " | ".join(f"{1000 * seconds:.2f} ms" for seconds in (anew, kept, mine, least))
            print(f"| {name} | {contrast} | {times} | {min(anew, kept) / mine:.1f} |", flush=True)


if __name__ == "__main__":
    main()
