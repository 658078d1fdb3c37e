"""Near-duplicates among docstrings: similar pairs, and the clusters that they form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence, Set
from itertools import combinations

import numpy as np
import scipy.sparse

from harness.collections.pydocs.clean import Entry
from harness.collections.pydocs.markup import words

COMPARED_WORDS = 128
"""Number of first words by which documents are compared and deduplicated."""
SAME_WORDING = 0.6
"""Minimal Jaccard similarity of three-word shingles for near-same wording of two documents."""
SAME_SUMMARY = 0.5
"""Minimal Jaccard similarity of words for near-same summaries of two definitions of the same name."""
SAME_QUERY = 0.8
"""Minimal Jaccard similarity of words at which the summaries of any two definitions share a split."""

PositionPair = tuple[int, int]


def normalised(text: str) -> str:
    """Return a text's lower-cased words with single spaces; queries with equal results are the same."""
    return " ".join(words(text))


def deduplicate(entries: Sequence[Entry]) -> list[Entry]:
    """Return the first entry, by id, of those whose documents share the first ``COMPARED_WORDS`` words."""
    first: dict[tuple[str, ...], Entry] = {}
    for entry in sorted(entries, key=lambda entry: entry.id):
        first.setdefault(tuple(words(entry.body)[:COMPARED_WORDS]), entry)
    return list(first.values())


def near_same_wording(entries: Sequence[Entry]) -> list[PositionPair]:
    """Return the pairs of positions of documents with near-same wording."""
    texts = (words(entry.body)[:COMPARED_WORDS] for entry in entries)
    return similar([set(zip(text, text[1:], text[2:], strict=False)) for text in texts], SAME_WORDING)


def near_same_query(entries: Sequence[Entry]) -> list[PositionPair]:
    """Return the pairs of positions of summaries with nearly the same words, for any definitions."""
    return similar([set(words(entry.summary)) for entry in entries], SAME_QUERY)


def similar(sets: Sequence[Set[Hashable]], threshold: float, rows: int = 512) -> list[PositionPair]:
    """Return the pairs of positions, smaller first, of sets with a minimal Jaccard similarity.

    Args:
        sets: N sets of elements; an empty set is similar to none.
        threshold: minimal Jaccard similarity, in (0, 1].
        rows: number of rows of the N x N matrix of shared elements to hold in memory.
    """
    numbers: dict[Hashable, int] = {}
    columns = [numbers.setdefault(element, len(numbers)) for elements in sets for element in elements]
    sizes = np.array([len(elements) for elements in sets], dtype=np.int64)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    counts = np.ones(len(columns), dtype=np.int32)
    matrix = scipy.sparse.csr_array((counts, columns, ends), shape=(len(sets), len(numbers)))
    transposed = matrix.T.tocsr()
    pairs: list[PositionPair] = []
    for start in range(0, len(sets), rows):
        shared = (matrix[start : start + rows] @ transposed).tocoo()
        left, right = shared.row + start, shared.col
        union = sizes[left] + sizes[right] - shared.data
        near = (left < right) & (shared.data >= threshold * union)
        pairs += zip(left[near].tolist(), right[near].tolist(), strict=True)
    return sorted(pairs)


def near_same_summary(entries: Sequence[Entry]) -> Iterator[PositionPair]:
    """Yield the pairs of positions with the same bare name and near-same summaries."""
    by_name: dict[str, list[int]] = defaultdict(list)
    for position, entry in enumerate(entries):
        if entry.summary:
            by_name[entry.id.rsplit(".", 1)[-1]].append(position)
    sets = [frozenset(words(entry.summary)) for entry in entries]
    for positions in by_name.values():
        for left, right in combinations(positions, 2):
            if jaccard(sets[left], sets[right]) >= SAME_SUMMARY:
                yield left, right


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """Return the share of common elements; 0 for two empty sets."""
    return len(left & right) / max(1, len(left | right))


def same_summary(entries: Sequence[Entry]) -> list[list[int]]:
    """Return the groups of positions with equal normalised summaries, each in order of ids."""
    groups: dict[str, list[int]] = defaultdict(list)
    for position, entry in enumerate(entries):
        if entry.summary:
            groups[normalised(entry.summary)].append(position)
    return list(groups.values())


def join(size: int, links: Iterable[PositionPair]) -> list[int]:
    """Return the smallest position in the connected component of each of ``size`` positions."""
    parent = list(range(size))

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    for left, right in links:
        low, high = sorted((root(left), root(right)))
        parent[high] = low
    return [root(position) for position in range(size)]
