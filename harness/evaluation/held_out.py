"""Lists of one positive and n negatives for held-out queries, to compare retriever and ranker on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from harness.collections.collection import RELEVANT, Collection
from harness.negatives.candidates import Floats, Integers
from harness.negatives.mining import Miner
from harness.negatives.noise import Noise, mixed
from harness.negatives.registry import make_draw, make_law, make_source
from harness.negatives.sampler import Sampler
from harness.retrieval.encode import Reader

SEED = 1
"""Seed of the lists: the same candidates always give the same lists."""


@dataclass(frozen=True)
class HeldOutLists:
    """One list for each query of a split.

    Attributes:
        split: name of the queries' split.
        rows: [R] numbers of the queries in the split.
        passages: [R, 1 + n] document numbers, the positive first.
    """

    split: str
    rows: Integers
    passages: Integers


def held_out_lists(collection: Collection, retriever: Reader, *, k: int, negatives: int) -> HeldOutLists:
    """Draw a list for each query of ``dev``: a relevant document, and negatives from the top K.

    Args:
        collection: its documents and its ``dev`` queries with their judgements.
        retriever: that retrieves the candidates, from which judged documents are excluded.
        k: number of candidates for each query.
        negatives: number of negatives drawn uniformly from the candidates.
    """
    split = "dev"
    queries, number = collection.queries[split], collection.number
    pairs, masked = [], []
    for row, query in enumerate(queries.ids):
        judged = queries.qrels[query]
        relevant = sorted(number[document] for document, grade in judged.items() if grade >= RELEVANT)
        pairs.append((row, relevant[int(mixed(7, row)) % len(relevant)]))
        masked.append(np.array(sorted(number[document] for document in judged)))
    candidates = Miner(make_source("top-k"), k, np.array(pairs), masked).mine(
        retriever.queries(split),
        retriever.documents(),
        model=retriever.encoder.fingerprint(),
        seed=SEED,
    )
    sampler = Sampler(make_law("uniform"), make_draw("without-replacement"), negatives)
    drawn = sampler(candidates, Noise(SEED, 0, np.zeros(len(candidates.query), dtype=np.int64))).document
    return HeldOutLists(
        split, candidates.query, np.concatenate([candidates.positive[:, None], drawn], axis=1)
    )


def retriever_scores(
    lists: HeldOutLists, queries: npt.NDArray[np.float32], documents: npt.NDArray[np.float32]
) -> Floats:
    """Return inner products [R, 1 + n].

    Args:
        lists: queries and passages to score.
        queries: [Q, d] embeddings of the split's queries.
        documents: [N, d] embeddings of all documents.
    """
    scores: Floats = np.einsum("rd,rcd->rc", queries[lists.rows], documents[lists.passages])
    return scores


def positive_first(scores: Floats) -> npt.NDArray[np.float64]:
    """Return whether the positive has the strictly highest score of each list, [R] of 0 and 1."""
    return np.asarray((scores[:, :1] > scores[:, 1:]).all(axis=1), dtype=np.float64)


def divergence(ranker: Floats, retriever: Floats) -> npt.NDArray[np.float64]:
    """Return KL(softmax(ranker) || softmax(retriever)) of each list, [R] in nats."""
    p, log_q = special.softmax(ranker, axis=1), special.log_softmax(retriever, axis=1)
    kl: npt.NDArray[np.float64] = (special.xlogy(p, p) - p * log_q).sum(axis=1)
    return kl


def agreement(ranker: Floats, retriever: Floats) -> npt.NDArray[np.float64]:
    """Return whether both rank the same passage first in each list, [R] of 0 and 1."""
    return np.asarray(ranker.argmax(axis=1) == retriever.argmax(axis=1), dtype=np.float64)
