"""A collection: documents, queries by split, and relevance judgements."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

RELEVANT = 2
"""Grade of a relevant document. Grade 1 means near-same wording, which only nDCG counts, as in TREC DL."""


@dataclass(frozen=True)
class Queries:
    """The queries of one split.

    Attributes:
        ids: query ids, in a fixed order.
        texts: one text for each query.
        qrels: query id -> document id -> grade, the labels for training or evaluation (one positive for each
            training query).
        known_relevant: query id -> ids of all documents known to be relevant, labelled or not; a negative
            drawn from them is a known false negative.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    qrels: dict[str, dict[str, int]]
    known_relevant: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Collection:
    """Documents and queries, in memory.

    Attributes:
        name: name of the collection, for example ``pydocs``.
        simulation: whether the text is synthetic; all results on it are labelled as simulation.
        document_ids: ids in a fixed order; a document's position is its number everywhere in the code.
        documents: one text for each document, without titles.
        queries: split name (``train``, ``dev``, ``test``, and further test sets) -> queries.
        about: counts and settings to show, small and JSON-ready.
    """

    name: str
    simulation: bool
    document_ids: tuple[str, ...]
    documents: tuple[str, ...]
    queries: dict[str, Queries]
    about: dict[str, object] = field(default_factory=dict)

    @cached_property
    def number(self) -> dict[str, int]:
        """Document id -> position."""
        return {document: position for position, document in enumerate(self.document_ids)}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of every id, text and judgement; the first link of the chain of fingerprints."""
        digest = hashlib.sha256()

        def feed(*parts: str) -> None:
            digest.update("\x1f".join(parts).encode() + b"\x1e")

        feed(self.name)
        for pair in zip(self.document_ids, self.documents, strict=True):
            feed("d", *pair)
        for split, queries in sorted(self.queries.items()):
            for query, text in zip(queries.ids, queries.texts, strict=True):
                judged = sorted(queries.qrels.get(query, {}).items())
                known = sorted(queries.known_relevant.get(query, ()))
                feed("q", split, query, text, *(f"{d}={g}" for d, g in judged), "known", *known)
        return digest.hexdigest()[:16]
