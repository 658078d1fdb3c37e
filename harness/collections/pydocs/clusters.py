"""Near-duplicates among docstrings: which pairs say nearly the same, and the clusters they chain into."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence, Set
from itertools import combinations

import numpy as np
import scipy.sparse

from harness.collections.pydocs.clean import Entry
from harness.collections.pydocs.markup import words

COMPARED_WORDS = 128
"""Documents are compared, and deduplicated, by this many first words."""
SAME_WORDING = 0.6
"""Jaccard similarity of three-word shingles from which two documents have near-same wording."""
SAME_SUMMARY = 0.5
"""Jaccard similarity of words from which the summaries of two definitions of one name are near-same."""
SAME_QUERY = 0.8
"""Jaccard similarity of words from which the summaries of any two definitions stay in one split."""

PositionPair = tuple[int, int]


def normalised(text: str) -> str:
    """Return a text's lower-cased words with single spaces; equal texts count as one query."""
    return " ".join(words(text))


def deduplicate(entries: Sequence[Entry]) -> list[Entry]:
    """Keep the first, by id, of the entries whose documents begin with the same ``COMPARED_WORDS`` words."""
    first: dict[tuple[str, ...], Entry] = {}
    for entry in sorted(entries, key=lambda entry: entry.id):
        first.setdefault(tuple(words(entry.body)[:COMPARED_WORDS]), entry)
    return list(first.values())


def near_same_wording(entries: Sequence[Entry]) -> list[PositionPair]:
    """Return the pairs of positions whose documents have near-same wording."""
    texts = (words(entry.body)[:COMPARED_WORDS] for entry in entries)
    return similar([set(zip(text, text[1:], text[2:], strict=False)) for text in texts], SAME_WORDING)


def near_same_query(entries: Sequence[Entry]) -> list[PositionPair]:
    """Return the pairs of positions whose summaries use nearly the same words, whatever they document."""
    return similar([set(words(entry.summary)) for entry in entries], SAME_QUERY)


def similar(sets: Sequence[Set[Hashable]], threshold: float, rows: int = 512) -> list[PositionPair]:
    """Return the pairs of positions, smaller first, of sets with at least a Jaccard similarity.

    Args:
        sets: N sets; an empty one is similar to none.
        threshold: the least similarity.
        rows: rows of the N x N matrix of shared elements held at a time.
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
    """Yield the pairs of positions that share a bare name and nearly a summary."""
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
    """Return the groups of positions that share a normalised summary, each in order of ids."""
    groups: dict[str, list[int]] = defaultdict(list)
    for position, entry in enumerate(entries):
        if entry.summary:
            groups[normalised(entry.summary)].append(position)
    return list(groups.values())


def join(size: int, links: Iterable[PositionPair]) -> list[int]:
    """Return for each of ``size`` positions the smallest position that links chain it to."""
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
