"""Clusters of queries that were not drawn independently of each other, for intervals alone."""

from __future__ import annotations

from typing import Literal

from harness.collections.collection import RELEVANT, Queries

ClusteredBy = Literal["positive"]
"""What the queries of a cluster share: the set of their labelled positives."""


def clusters_of(queries: Queries) -> dict[str, str]:
    """Return query id -> id of the first query with the same labelled positives.

    A query without a positive is a cluster by itself.

    Args:
        queries: the queries of one split.
    """
    first: dict[frozenset[str], str] = {}
    clusters = {}
    for query in queries.ids:
        judged = queries.qrels.get(query, {})
        positives = frozenset(document for document, grade in judged.items() if grade >= RELEVANT)
        clusters[query] = first.setdefault(positives, query) if positives else query
    return clusters
