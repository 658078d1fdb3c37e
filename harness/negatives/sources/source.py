"""What every source is, what it sees of a refresh, and what sources share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

from harness.negatives.candidates import Booleans, Candidates, Floats, Integers
from harness.negatives.noise import mixed

SearchResult = tuple[npt.NDArray[np.float32], Integers]
"""Scores [R, k] and document numbers [R, k] of a search, best first."""

CountBasis = Literal["kept", "retrieved"]
"""What K counts: candidates that are left when positives are removed, or documents retrieved before."""


@dataclass(frozen=True)
class View:
    """What a source sees at a refresh. R training pairs, N documents.

    Attributes:
        pairs: [R, 2] query number and positive document number.
        queries: [R, dimension] embedding of each pair's query.
        documents: [N, dimension] embeddings.
        masked: for each pair, documents that may not be drawn; the positive always among them.
        query_ids: id of each query, by number.
        document_number: document id -> number.
        lexical: BM25 search of the k best documents of each pair's query.
        previous: candidates of the round before, none at round 0.
        seed: of sources that draw.
        round: number of the refresh.
    """

    pairs: Integers
    queries: npt.NDArray[np.float32]
    documents: npt.NDArray[np.float32]
    masked: Sequence[Integers]
    query_ids: Sequence[str]
    document_number: Mapping[str, int]
    lexical: Callable[[int], SearchResult]
    previous: Candidates | None
    seed: int
    round: int

    @property
    def most_masked(self) -> int:
        """The largest number of masked documents of a pair."""
        return max((len(some) for some in self.masked), default=0)

    def scores(self, document: Integers) -> npt.NDArray[np.float32]:
        """Return s(q, d) of documents [R, C] by the present retriever."""
        return _products(self.queries, self.documents, document)

    def similarities(self, document: Integers) -> npt.NDArray[np.float32]:
        """Return s(d+, d) of documents [R, C] by the present retriever."""
        return _products(self.documents[self.pairs[:, 1]], self.documents, document)

    def positive_scores(self) -> npt.NDArray[np.float32]:
        """Return s(q, d+), [R]."""
        return np.asarray(np.einsum("rd,rd->r", self.queries, self.documents[self.pairs[:, 1]]))


@dataclass(frozen=True)
class Proposal:
    """Documents that a source proposes.

    Attributes:
        document: [R, C] numbers, distinct in a row where valid.
        valid: [R, C] false where a row has fewer.
        retrieved: [R] whether the positive was found, before it was masked.
        score: [R, C] where the source's own scores take the place of the model's.
        positive_score: [R] likewise.
        origin: [R, C] part of a union, where there are parts.
    """

    document: Integers
    valid: Booleans
    retrieved: Booleans
    score: Floats | None = None
    positive_score: Floats | None = None
    origin: npt.NDArray[np.int8] | None = None


class Source(Protocol):
    """A source of candidates.

    Attributes:
        name: as written in a spec.
        summary: one line for documentation.
        citation: paper, or line of the released code.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    citation: ClassVar[str]

    @property
    def has(self) -> frozenset[str]:
        """What its candidates have: ``documents`` (embeddings of documents), ``union`` (of two sources)."""
        ...

    def propose(self, view: View, k: int) -> Proposal:
        """Return at most k documents for each pair (a union: for each part)."""
        ...


DOCUMENTS = frozenset({"documents"})

ROWS_AT_ONCE = 512
"""Rows whose products with all documents are held at once; bounds memory to this times N floats."""


def keep(view: View, ranked: Integers, k: int, count: CountBasis = "kept") -> Proposal:
    """Return the first k documents of a ranking without the masked ones.

    Args:
        view: of the refresh.
        ranked: [R, depth] document numbers, best first; -1 where there is none.
        k: how many to keep.
        count: whether k counts before or after masked ones are removed.
    """
    allowed = ranked >= 0
    for row, masked in enumerate(view.masked):
        allowed[row] &= ~np.isin(ranked[row], masked)
    if count == "retrieved":
        document, valid = ranked[:, :k], allowed[:, :k]
    else:
        order = np.argsort(~allowed, axis=1, kind="stable")[:, :k]
        document = np.take_along_axis(ranked, order, axis=1)
        valid = np.take_along_axis(allowed, order, axis=1)
    retrieved = (ranked[:, :k] == view.pairs[:, 1:]).any(axis=1)
    return Proposal(np.maximum(document, 0), valid, retrieved)


def depth(view: View, k: int, count: CountBasis) -> int:
    """Return how deep to search, so that k are left."""
    return k if count == "retrieved" else k + view.most_masked


def draw_uniform(view: View, pool: Integers, k: int, stage: int) -> Proposal:
    """Return k documents of a pool for each pair, uniformly, without replacement and without masked ones.

    Each row has a generator of its own, keyed by what it is for, so that order and ranks change nothing.
    """
    size = min(len(pool), k + view.most_masked)
    keys = mixed(view.seed, view.round, stage, view.pairs[:, 0], view.pairs[:, 1])
    ranked = np.empty((len(keys), size), dtype=np.int64)
    for row, key in enumerate(keys):
        generator = np.random.Generator(np.random.Philox(key=int(key)))
        ranked[row] = pool[generator.choice(len(pool), size, replace=False)]
    return keep(view, ranked, k)


def _products(
    vectors: npt.NDArray[np.float32], documents: npt.NDArray[np.float32], chosen: Integers
) -> npt.NDArray[np.float32]:
    """Return the inner products of each vector with its chosen documents, [R, C].

    They are read off the products with all documents, a block of rows at a time, so that no
    [R, C, dimension] array exists.
    """
    products = np.empty(chosen.shape, dtype=np.float32)
    for begin in range(0, len(vectors), ROWS_AT_ONCE):
        part = slice(begin, begin + ROWS_AT_ONCE)
        products[part] = np.take_along_axis(vectors[part] @ documents.T, chosen[part], axis=1)
    return products
