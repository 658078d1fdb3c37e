"""A collection: documents, queries by split, and relevance judgements."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from harness.collections.answers import AnswersAre, AnswerTexts
from harness.collections.texts import Numbering, chunks, equal_texts

RELEVANT = 2
"""Grade of a relevant document. Grade 1 means near-same wording, which only nDCG counts, as in TREC DL."""


Numbers = npt.NDArray[np.int64]
"""Numbers of documents."""

TitlesAre = Literal["joined", "pair"]
"""How an encoder reads a title and its text: as one text, or as the two segments of a pair."""

OwnDocuments = Literal["out", "kept"]
"""What becomes of a document that has the id of a query, in that query's rankings and candidates."""


OwnKind = Literal["beir", "msmarco", "dpr", "simans", "parquet", "ir"]
"""Kinds of collections of one's own: the layouts that they are published in."""

OWN: tuple[str, ...] = get_args(OwnKind)
"""The same; a collection has one fingerprint in whichever of them it is published."""


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
        answers: query id -> strings that answer it; queries without any are left out.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    qrels: dict[str, dict[str, int]]
    known_relevant: dict[str, tuple[str, ...]]
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Collection:
    """Documents, in memory or mapped, and queries.

    Attributes:
        name: name of the collection, for example ``pydocs``.
        simulation: whether the text is synthetic; all results on it are labelled as simulation.
        document_ids: ids in a fixed order; a document's position is its number everywhere in the code.
        documents: one text for each document, after its title where titles are read.
        queries: split name (``train``, ``dev``, ``test``, and further test sets) -> queries.
        about: counts and settings to show, small and JSON-ready.
        own_documents: whether a document with the id of a query is taken ``out`` of that query's rankings and
            candidates, as BEIR does (ArguAna and Quora ask with documents of theirs), or ``kept``.
        text_starts: where the text of each document starts, after its title; empty where no title is read.
        answers_are: how answers are matched.
        titles_are: how an encoder reads titles and texts; BM25 and late readers of texts see them joined.
    """

    name: str
    simulation: bool
    document_ids: Sequence[str]
    documents: Sequence[str]
    queries: dict[str, Queries]
    about: dict[str, object] = field(default_factory=dict)
    own_documents: OwnDocuments = "out"
    text_starts: tuple[int, ...] = ()
    answers_are: AnswersAre = "texts"
    titles_are: TitlesAre = "joined"

    @cached_property
    def number(self) -> Mapping[str, int]:
        """Document id -> position."""
        return Numbering(self.document_ids)

    def title_pairs(self) -> Iterator[tuple[str, str]]:
        """Yield title and text of each document; both may be empty."""
        for document, start in zip(self.documents, self.text_starts, strict=True):
            yield document[: max(0, start - 1)], document[start:]

    def own(self, split: str) -> dict[int, int]:
        """Return query number -> number of the document that is the query itself, which is taken out."""
        if self.own_documents == "kept":
            return {}
        ids = enumerate(self.queries[split].ids)
        return {number: self.number[query] for number, query in ids if query in self.number}

    @cached_property
    def copies(self) -> dict[int, Numbers]:
        """Document number -> numbers of the other documents with the same text, where there are any."""
        alike = [np.array(numbers, dtype=np.int64) for numbers in equal_texts(self.documents)]
        return {int(number): numbers[numbers != number] for numbers in alike for number in numbers}

    @cached_property
    def answer_texts(self) -> AnswerTexts:
        """The documents' texts without titles, to look for answers in."""
        return AnswerTexts(self.documents, self.text_starts, self.answers_are)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of every id, text, judgement and answer; the first link of the chain of fingerprints.

        The name of a folder is not in it, nor the layout of a collection of one's own.
        """
        digest = hashlib.sha256()

        def feed(*parts: str) -> None:
            digest.update("\x1f".join(parts).encode() + b"\x1e")

        kind = self.name.partition("/")[0]
        feed(OWN[0] if kind in OWN else kind)
        if self.own_documents == "kept":
            feed("own documents kept")
        if self.titles_are == "pair":
            feed("titles as pairs")
        if self.answers_are == "patterns":
            feed("answers are patterns")
        for pair in zip(self.document_ids, self.documents, strict=True):
            feed("d", *pair)
        for split, queries in sorted(self.queries.items()):
            for query, text in zip(queries.ids, queries.texts, strict=True):
                judged = sorted(queries.qrels.get(query, {}).items())
                known = sorted(queries.known_relevant.get(query, ()))
                feed("q", split, query, text, *(f"{d}={g}" for d, g in judged), "known", *known)
            for query, answers in sorted(queries.answers.items()):
                feed("a", split, query, *answers)
        if self.text_starts and any(queries.answers for queries in self.queries.values()):
            digest.update(b"starts")
            for starts in chunks(map(str, self.text_starts)):
                digest.update(("\x1f" + "\x1f".join(starts)).encode())
            digest.update(b"\x1e")
        return digest.hexdigest()[:16]
