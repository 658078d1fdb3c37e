"""The protocol of sources, their view of a refresh, and their common functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import SkipValidation, WithJsonSchema

from harness.negatives.candidates import Booleans, Candidates, Floats, Integers
from harness.negatives.noise import mixed
from harness.pieces import PIECE_IN_SCHEMA

SearchResult = tuple[npt.NDArray[np.float32], Integers]
"""Scores [R, k] and document numbers [R, k] of a search, in descending order of scores."""

CountBasis = Literal["kept", "retrieved"]
"""Whether K counts the documents that remain after positives are removed, or those retrieved before."""


@dataclass(frozen=True)
class View:
    """The input of a source at a refresh, with R training pairs and N documents.

    Attributes:
        pairs: [R, 2] query number and positive document number.
        queries: [R, dimension] embedding of each pair's query.
        documents: [N, dimension] embeddings by document number.
        masked: numbers of the documents that must not be drawn, for each pair; always with the positive.
        query_ids: ids of the queries by number.
        document_number: document id -> number.
        lexical: searches the k best documents by BM25 for each pair's query.
        previous: candidates of the previous round; None at round 0.
        seed: seed of random sources.
        round: number of the refresh, from 0.
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
        """The largest number of masked documents of any pair."""
        return max((len(some) for some in self.masked), default=0)

    def scores(self, document: Integers, rows: Integers | None = None) -> npt.NDArray[np.float32]:
        """Return s(q, d) of documents [R, C] by the current retriever; NaN but for some rows, if given."""
        return _products(self.queries, self.documents, document, rows)

    def similarities(self, document: Integers, rows: Integers | None = None) -> npt.NDArray[np.float32]:
        """Return s(d+, d) of documents [R, C] by the current retriever; NaN but for some rows, if given."""
        return _products(self.documents[self.pairs[:, 1]], self.documents, document, rows)

    def positive_scores(self) -> npt.NDArray[np.float32]:
        """Return s(q, d+), [R]."""
        return np.asarray(np.einsum("rd,rd->r", self.queries, self.documents[self.pairs[:, 1]]))


@dataclass(frozen=True)
class Proposal:
    """The documents that a source proposes.

    Attributes:
        document: [R, C] document numbers; valid ones are distinct within a row.
        valid: [R, C] false for missing documents in rows with fewer than C.
        retrieved: [R] whether the positive was retrieved, before masking.
        score: [R, C] the source's own s(q, d-), which replace the model's; None for the model's.
        positive_score: [R] the source's own s(q, d+), which replace the model's; None for the model's.
        origin: [R, C] number of the part of a union; None for other sources.
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
        summary: description in one line.
        citation: paper and section, or line of the released code.
    """

    summary: ClassVar[str]
    citation: ClassVar[str]

    @property
    def name(self) -> str:
        """Name in specs."""
        ...

    @property
    def has(self) -> frozenset[str]:
        """Properties of its candidates: ``documents`` (with embeddings), ``union`` (of two sources)."""
        ...

    def propose(self, view: View, k: int) -> Proposal:
        """Return at most k documents for each pair, or k for each part of a union."""
        ...


Inner = Annotated[SkipValidation[Source], WithJsonSchema({PIECE_IN_SCHEMA: "source"})]
"""A source inside another one, already made."""

DOCUMENTS = frozenset({"documents"})

ROWS_AT_ONCE = 512
"""Number of rows whose products with all documents are in memory at once: this times N floats."""

MANY = 32_768
"""Number of documents above which the chosen ones of a row are gathered."""

ROWS_GATHERED = 64
"""Number of rows whose chosen documents are gathered at once: this times C times dimension floats."""


def keep(view: View, ranked: Integers, k: int, count: CountBasis = "kept") -> Proposal:
    """Return the first k documents of a ranking, without the masked ones.

    Args:
        view: the refresh, with the masked documents of each pair.
        ranked: [R, depth] document numbers, best first; -1 for no document.
        k: number of documents for each pair.
        count: whether k counts documents before or after masked ones are removed.
    """
    allowed = (ranked >= 0) & ~_masked(ranked, view.masked)
    if count == "retrieved":
        document, valid = ranked[:, :k], allowed[:, :k]
    else:
        order = np.argsort(~allowed, axis=1, kind="stable")[:, :k]
        document = np.take_along_axis(ranked, order, axis=1)
        valid = np.take_along_axis(allowed, order, axis=1)
    retrieved = (ranked[:, :k] == view.pairs[:, 1:]).any(axis=1)
    return Proposal(np.maximum(document, 0), valid, retrieved)


def _masked(ranked: Integers, masked: Sequence[Integers]) -> Booleans:
    """Return which documents of rankings are among the masked ones of their rows, [R, depth].

    The first masked documents of all rows are looked for at once, then the second ones, and so on.
    """
    found = np.zeros(ranked.shape, dtype=bool)
    count = np.array([len(some) for some in masked], dtype=np.int64)
    for place in range(int(count.max(initial=0))):
        rows = np.flatnonzero(count > place).tolist()
        one = np.array([masked[row][place] for row in rows])
        found[rows] |= ranked[rows] == one[:, None]
    return found


def depth(view: View, k: int, count: CountBasis) -> int:
    """Return the depth of a search that leaves k documents after masking."""
    return k if count == "retrieved" else k + view.most_masked


def draw_uniform(view: View, pool: Integers, k: int, stage: int) -> Proposal:
    """Draw k documents of a pool for each pair, uniformly, without replacement and without masked ones.

    Each row has its own generator, keyed by seed, round, stage and pair, independent of order and ranks.
    """
    size = min(len(pool), k + view.most_masked)
    keys = mixed(view.seed, view.round, stage, view.pairs[:, 0], view.pairs[:, 1])
    ranked = np.empty((len(keys), size), dtype=np.int64)
    for row, key in enumerate(keys):
        generator = np.random.Generator(np.random.Philox(key=int(key)))
        ranked[row] = pool[generator.choice(len(pool), size, replace=False)]
    return keep(view, ranked, k)


def _products(
    vectors: npt.NDArray[np.float32],
    documents: npt.NDArray[np.float32],
    chosen: Integers,
    rows: Integers | None = None,
) -> npt.NDArray[np.float32]:
    """Return the inner products of each vector with its chosen documents, [R, C]; NaN but for some rows.

    They are picked from the products with all documents, one block of rows at a time, which avoids an
    [R, C, dimension] array. The last block takes rows from the one before: products of few rows with few
    documents are rounded otherwise. Where documents are many, the chosen ones are gathered instead, a few
    rows at a time: that takes the same memory and time for any number of documents.
    """
    rows = np.arange(len(vectors)) if rows is None else rows
    products = np.full(chosen.shape, np.nan, dtype=np.float32)
    if len(documents) > MANY:
        for begin in range(0, len(rows), ROWS_GATHERED):
            few = rows[begin : begin + ROWS_GATHERED]
            products[few] = np.matmul(documents[chosen[few]], vectors[few][:, :, None])[..., 0]
        return products
    last = max(0, len(rows) - ROWS_AT_ONCE)
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        block = rows[min(begin, last) :][:ROWS_AT_ONCE]
        products[block] = np.take_along_axis(vectors[block] @ documents.T, chosen[block], axis=1)
    return products
