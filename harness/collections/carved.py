"""A collection without a test split: what tuning may look at.

Documents and training queries of another collection, of which a share is held out as `dev`. That
collection's own dev and test are not in it, so no tuning can look at them.
"""

from __future__ import annotations

import hashlib

from harness.collections.collection import Collection, Queries


def carve(collection: Collection, share: float) -> Collection:
    """Return the carved collection of a collection.

    A hash of its id decides whether a query is held out, independently of the other queries.

    Args:
        collection: collection with training queries.
        share: share of the training queries to hold out, in (0, 1); they keep their sparse training labels.
    """
    train = collection.queries["train"]
    held_out = [_place(query) < share for query in train.ids]
    return Collection(
        name=f"{collection.name}-carved",
        simulation=collection.simulation,
        document_ids=collection.document_ids,
        documents=collection.documents,
        queries={
            "train": _subset(train, [not out for out in held_out]),
            "dev": _subset(train, held_out),
        },
        about={"carved_from": collection.fingerprint, "held_out": share},
        own_documents=collection.own_documents,
        text_starts=collection.text_starts,
        answers_are=collection.answers_are,
        titles_are=collection.titles_are,
    )


def _place(query: str) -> float:
    """Return a number in [0, 1) that depends on the query's id only."""
    return int.from_bytes(hashlib.sha256(f"held out {query}".encode()).digest()[:8], "big") / 2**64


def _subset(queries: Queries, which: list[bool]) -> Queries:
    subset = [
        (query, text) for query, text, chosen in zip(queries.ids, queries.texts, which, strict=True) if chosen
    ]
    ids = tuple(query for query, _ in subset)
    return Queries(
        ids,
        tuple(text for _, text in subset),
        {query: queries.qrels[query] for query in ids if query in queries.qrels},
        {query: queries.known_relevant[query] for query in ids if query in queries.known_relevant},
        {query: queries.answers[query] for query in ids if query in queries.answers},
    )
