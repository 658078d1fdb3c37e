"""Which training pairs come when: an order that is a pure function of (seed, epoch)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.collections.collection import RELEVANT, Collection
from harness.negatives.noise import ORDER_STAGE, uniform


@dataclass(frozen=True)
class TrainingPairs:
    """Labelled pairs and what must not be drawn against them.

    Attributes:
        pairs: [R, 2] query number and positive document number.
        labelled: for each pair, documents judged relevant in the training qrels.
        known_relevant: for each pair, all documents known to be relevant, labelled or not.
    """

    pairs: npt.NDArray[np.int64]
    labelled: list[npt.NDArray[np.int64]]
    known_relevant: list[npt.NDArray[np.int64]]

    def masked_at(self, row: int, mask: str) -> npt.NDArray[np.int64]:
        """Return what a mask keeps from being a negative of a pair.

        Args:
            row: number of the pair.
            mask: ``labelled``, ``known-relevant`` or ``positive-only``.
        """
        if mask == "positive-only":
            return self.pairs[row, 1:]
        return (self.labelled if mask == "labelled" else self.known_relevant)[row]

    def masked(self, mask: str) -> list[npt.NDArray[np.int64]]:
        """Return what a mask keeps out, for every pair."""
        return [self.masked_at(row, mask) for row in range(len(self.pairs))]


def labelled_pairs(collection: Collection, split: str = "train") -> TrainingPairs:
    """Return one pair for each labelled positive of the queries of a split."""
    queries, number = collection.queries[split], collection.number
    pairs, labelled, known = [], [], []
    for row, query in enumerate(queries.ids):
        relevant = sorted(number[d] for d, grade in queries.qrels.get(query, {}).items() if grade >= RELEVANT)
        everything = np.array(
            sorted({*relevant, *(number[d] for d in queries.known_relevant.get(query, ()))})
        )
        for positive in relevant:
            pairs.append((row, positive))
            labelled.append(np.array(relevant, dtype=np.int64))
            known.append(everything.astype(np.int64))
    return TrainingPairs(np.array(pairs, dtype=np.int64).reshape(-1, 2), labelled, known)


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


def epoch_order(epoch: int, pairs: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the order of the training pairs in an epoch, [pairs]."""
    return np.argsort(uniform(seed, epoch, ORDER_STAGE, np.arange(pairs)), kind="stable")
