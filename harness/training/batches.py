"""Which training pairs come when: an order that is a pure function of (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from harness.collections.collection import RELEVANT, Collection
from harness.negatives.noise import ORDER_STAGE, SAMPLE_STAGE, uniform


@dataclass(frozen=True)
class TrainingPairs:
    """Labelled pairs and what must not be drawn against them.

    Attributes:
        pairs: [R, 2] query number and positive document number.
        labelled: for each pair, documents judged relevant in the training qrels.
        known_relevant: for each pair, all documents known to be relevant, labelled or not, with their copies.
        barred: for each pair, the labelled documents with their copies, kept out by the mask ``labelled``.
        own: for each pair, the document that is the query itself, which is never a negative.
        query_ids: of all queries, by number, as messages name them.
    """

    pairs: npt.NDArray[np.int64]
    labelled: list[npt.NDArray[np.int64]]
    known_relevant: list[npt.NDArray[np.int64]]
    barred: list[npt.NDArray[np.int64]] = field(default_factory=list)
    own: list[npt.NDArray[np.int64]] = field(default_factory=list)
    query_ids: Sequence[str] = ()

    def masked_at(self, row: int, mask: str) -> npt.NDArray[np.int64]:
        """Return what a mask keeps from being a negative of a pair.

        Args:
            row: number of the pair.
            mask: ``labelled``, ``known-relevant`` or ``positive-only``.
        """
        own = self.own[row] if self.own else NONE
        if mask == "positive-only":
            return _union(self.pairs[row, 1:], own)
        if mask == "labelled":
            return _union(self.barred[row] if self.barred else self.labelled[row], own)
        return _union(self.known_relevant[row], own)

    def unlabelled_at(self, row: int) -> npt.NDArray[np.int64]:
        """Return the documents that are known to be relevant to a pair's query, and not labelled."""
        labelled = self.barred[row] if self.barred else self.labelled[row]
        known = self.known_relevant[row]
        return NONE if len(known) == len(labelled) else np.setdiff1d(known, labelled)

    def masked(self, mask: str) -> list[npt.NDArray[np.int64]]:
        """Return what a mask keeps out, for every pair."""
        return [self.masked_at(row, mask) for row in range(len(self.pairs))]


def labelled_pairs(collection: Collection, split: str = "train") -> TrainingPairs:
    """Return one pair for each labelled positive of the queries of a split; no query is its own positive."""
    queries, number, itself = collection.queries[split], collection.number, collection.own(split)
    pairs, labelled, known, barred, own = [], [], [], [], []
    for row, query in enumerate(queries.ids):
        judged = queries.qrels.get(query, {}).items()
        relevant = sorted(number[document] for document, grade in judged if grade >= RELEVANT)
        relevant = [document for document in relevant if document != itself.get(row)]
        everything = {*relevant, *(number[d] for d in queries.known_relevant.get(query, ()))}
        for positive in relevant:
            pairs.append((row, positive))
            labelled.append(np.array(relevant, dtype=np.int64))
            known.append(_with_copies(everything, collection))
            barred.append(_with_copies(relevant, collection))
            own.append(np.array([itself[row]], dtype=np.int64) if row in itself else NONE)
    numbers = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return TrainingPairs(numbers, labelled, known, barred, own, queries.ids)


NONE = np.empty(0, dtype=np.int64)
"""No document."""


def _with_copies(documents: Iterable[int], collection: Collection) -> npt.NDArray[np.int64]:
    """Return documents with those of the same text, in ascending order."""
    numbers = sorted(documents)
    copies = [collection.copies[number] for number in numbers if number in collection.copies]
    return np.unique(np.concatenate([np.array(numbers, dtype=np.int64), *copies]))


def _union(*parts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return what is in any of the parts; a single part as it is."""
    some = [part for part in parts if len(part)]
    return some[0] if len(some) == 1 else np.unique(np.concatenate(parts))


@dataclass(frozen=True)
class Batch:
    """One step's pairs.

    Attributes:
        rows: [B] numbers of training pairs.
        visit: [B] how often each was visited before.
    """

    rows: npt.NDArray[np.int64]
    visit: npt.NDArray[np.int64]


def batch_at(step: int, size: int, pairs: int, seed: int) -> Batch:
    """Return the batch of a step; epochs follow each other without a remainder being dropped."""
    place = np.arange(step * size, (step + 1) * size)
    epoch = place // pairs
    rows = np.empty(size, dtype=np.int64)
    for number in np.unique(epoch):
        here = epoch == number
        rows[here] = epoch_order(int(number), pairs, seed)[place[here] % pairs]
    return Batch(rows, epoch)


def sampled_pairs(count: int, pairs: int) -> npt.NDArray[np.int64]:
    """Return the numbers of some of the training pairs, the same in every run, in ascending order."""
    order = np.argsort(uniform(0, 0, SAMPLE_STAGE, np.arange(pairs)), kind="stable")
    return np.sort(order[:count])


@lru_cache(maxsize=2)
def epoch_order(epoch: int, pairs: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the order of the training pairs in an epoch, [pairs], which nobody may change.

    Those of two epochs are kept, as each step of an epoch asks for its order, and one batch for two.
    """
    order = np.argsort(uniform(seed, epoch, ORDER_STAGE, np.arange(pairs)), kind="stable")
    order.flags.writeable = False
    return order
