"""Queries and judgements of the splits; a cluster of near-duplicates is never divided between splits."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.collections.collection import RELEVANT, Queries
from harness.collections.pydocs.clean import Entry
from harness.collections.pydocs.clusters import (
    join,
    near_same_query,
    near_same_summary,
    near_same_wording,
    same_summary,
)

NEAR = 1
"""Grade of a near-duplicate of a relevant document."""
SHARES = {"test": 0.15, "dev": 0.06}
"""Shares of the held-out clusters; the others are for training."""


@dataclass(frozen=True)
class Clustering:
    """The near-duplicates and splits of N entries, by position.

    Attributes:
        summaries: groups of positions with equal normalised summaries.
        near: position -> positions of its near-duplicates.
        split: [N] split of each position's cluster.
    """

    summaries: list[list[int]]
    near: dict[int, list[int]]
    split: list[str]


def hash_fraction(text: str) -> float:
    """Return a number in [0, 1) that depends on the text only."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16) / 16**13


def split_of(cluster: str) -> str:
    """Return the split of a cluster, which is identified by its smallest id."""
    at = hash_fraction(cluster)
    for split, share in SHARES.items():
        if at < share:
            return split
        at -= share
    return "train"


def cluster_entries(entries: Sequence[Entry]) -> Clustering:
    """Detect near-duplicates and assign their clusters to splits.

    Args:
        entries: N entries in order of ids, so that a cluster's smallest position has its smallest id.
    """
    pairs = [*near_same_wording(entries), *near_same_summary(entries)]
    summaries = same_summary(entries)
    same = ((first, other) for first, *rest in summaries for other in rest)
    links = [*pairs, *same, *near_same_query(entries)]
    near: dict[int, list[int]] = defaultdict(list)
    for left, right in pairs:
        near[left].append(right)
        near[right].append(left)
    split = [split_of(entries[cluster].id) for cluster in join(len(entries), links)]
    return Clustering(summaries, dict(near), split)


def judgements(relevant: Iterable[int], groups: Clustering, entries: Sequence[Entry]) -> dict[str, int]:
    """Return the grades ``RELEVANT`` of relevant documents and ``NEAR`` of their near-duplicates.

    Returns:
        Document id -> grade, the relevant ones first.
    """
    grades = {entries[position].id: RELEVANT for position in relevant}
    twins = {twin for position in relevant for twin in groups.near.get(position, ())}
    for twin in sorted(twins):
        grades.setdefault(entries[twin].id, NEAR)
    return grades


def make_queries(split: str, groups: Clustering, entries: Sequence[Entry]) -> Queries:
    """Make the summary queries of a split, one for each normalised summary.

    For training, one document with the summary is labelled, chosen by hash; for evaluation, all of them and
    their near-duplicates are.
    """
    ids, texts = [], []
    qrels: dict[str, dict[str, int]] = {}
    known: dict[str, tuple[str, ...]] = {}
    for positions in groups.summaries:
        if groups.split[positions[0]] != split:
            continue
        labelled = min(positions, key=lambda position: hash_fraction(entries[position].id))
        entry = entries[labelled if split == "train" else positions[0]]
        query = f"q:{entry.id}"
        ids.append(query)
        texts.append(entry.summary)
        known[query] = tuple(entries[position].id for position in positions)
        qrels[query] = {entry.id: RELEVANT} if split == "train" else judgements(positions, groups, entries)
    return Queries(tuple(ids), tuple(texts), qrels, known)
