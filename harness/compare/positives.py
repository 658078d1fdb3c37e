"""Ranks of relevant documents under two sides, and the overlap of their rankings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from harness.compare.pairs import SeedPair
from harness.evaluation.rankings import Ranking

TOP = 10
"""Number of top documents in overlaps and counts."""


def positive_ranks(
    pairs: Sequence[SeedPair], relevant: Mapping[str, Collection[str]], depth: int
) -> pd.DataFrame:
    """Return the rank of each relevant document under both sides.

    Args:
        pairs: both sides by seed.
        relevant: query -> ids of its relevant documents.
        depth: last rank that counts as retrieved.

    Returns:
        Columns seed, query, document, rank_a, rank_b; ranks from 1, missing if not retrieved.
    """
    lines = []
    for pair in pairs:
        for query, documents in relevant.items():
            ranks = [_ranks(side.ranking.get(query, {}), documents, depth) for side in (pair.a, pair.b)]
            lines += [(pair.seed, query, d, ranks[0].get(d), ranks[1].get(d)) for d in sorted(documents)]
    frame = pd.DataFrame(lines, columns=["seed", "query", "document", "rank_a", "rank_b"])
    return frame.astype({"rank_a": "Int64", "rank_b": "Int64"})


def top_overlap(pair: SeedPair, query: str) -> float:
    """Return the share of the top documents that both rankings have."""
    one, other = (list(side.ranking.get(query, {}))[:TOP] for side in (pair.a, pair.b))
    longest = max(len(one), len(other))
    return len(set(one) & set(other)) / longest if longest else 1.0


def documents_before(rankings: Sequence[Ranking], query: str, relevant: Collection[str]) -> list[str]:
    """Return the documents ranked before the first relevant one, those of most seeds first.

    Ties are ordered by best rank. If no relevant document is retrieved, all documents count.
    """
    places: dict[str, list[int]] = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking.get(query, {}), start=1):
            if document in relevant:
                break
            places.setdefault(document, []).append(rank)
    return sorted(places, key=lambda document: (-len(places[document]), min(places[document]), document))


def rank_bins(depth: int) -> list[tuple[str, int]]:
    """Return name and last rank of each bin, up to the depth of the rankings.

    >>> rank_bins(40)
    [('1', 1), ('2–5', 5), ('6–10', 10), ('11–40', 40)]
    """
    ends = [end for end in (1, 5, 10, 50, 100) if end < depth] + [depth]
    begins = [1] + [end + 1 for end in ends[:-1]]
    return [
        (str(end) if begin == end else f"{begin}–{end}", end) for begin, end in zip(begins, ends, strict=True)
    ]


def joint_ranks(ranks: pd.DataFrame, depth: int) -> pd.DataFrame:
    """Return the counts of relevant documents by rank bin under A (rows) and under B (columns).

    Args:
        ranks: frame of `positive_ranks`.
        depth: number of documents in a ranking.

    Returns:
        [bins + 1, bins + 1] counts; the last bin is 'not retrieved'.
    """
    bins = rank_bins(depth)
    names = [*(name for name, _ in bins), f"not in {depth}"]
    a, b = (_binned(ranks[column], bins, names, depth) for column in ("rank_a", "rank_b"))
    counts: pd.DataFrame = pd.crosstab(a, b)
    return counts.reindex(index=names, columns=names, fill_value=0)


def _binned(ranks: pd.Series, bins: Sequence[tuple[str, int]], names: list[str], depth: int) -> pd.Series:
    """Return the name of each rank's bin."""
    ends = [0, *(end for _, end in bins), depth + 1]
    return pd.cut(ranks.astype("float64").fillna(depth + 1), ends, labels=names).astype(str)


def _ranks(ranking: Mapping[str, float], documents: Collection[str], depth: int) -> dict[str, int]:
    """Return the ranks of those documents that are retrieved."""
    return {d: rank for rank, d in enumerate(ranking, start=1) if d in documents and rank <= depth}
