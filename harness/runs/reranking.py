"""What a ranker adds to the evaluation of a run: rankings that it reads again, lists that it is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.collections.collection import Collection
from harness.encoders.ranker import Ranker
from harness.evaluation.held_out import (
    agreement,
    divergence,
    held_out_lists,
    positive_first,
    retriever_scores,
)
from harness.evaluation.rankings import Ranking, strictly_decreasing
from harness.retrieval.encode import Reader
from harness.retrieval.rerank import PairTexts, rerank_scores
from harness.specs.run_settings import TrainedRun


@dataclass(frozen=True)
class TeacherState:
    """The ranker beside a retriever, before and after a run.

    Attributes:
        ranker: after the run.
        at_start: before the run's first step; the same object where the run does not train it.
        texts: what it reads of the collection.
        start: the retriever that the run started from; its candidates make the held-out lists.
        pair_tokens: the most tokens of a query and a passage together.
    """

    ranker: Ranker
    at_start: Ranker
    texts: PairTexts
    start: Reader
    pair_tokens: int


def reranked(
    ranking: Ranking,
    teacher: TeacherState,
    collection: Collection,
    split: str,
    depth: int,
) -> Ranking:
    """Return rankings whose first documents are in the ranker's order, the others after them in their own.

    Args:
        ranking: of every query of the split.
        teacher: holds the ranker.
        collection: documents and queries.
        split: of the queries.
        depth: documents of each query that the ranker reads.
    """
    ids, number = collection.queries[split].ids, collection.number
    first = [list(ranking[query])[:depth] for query in ids]
    numbers = np.full((len(ids), depth), -1, dtype=np.int64)
    for row, documents in enumerate(first):
        numbers[row, : len(documents)] = [number[document] for document in documents]
    scores = rerank_scores(teacher.ranker, teacher.texts, split, numbers, pair_tokens=teacher.pair_tokens)
    return {
        query: _in_order(list(ranking[query]), scores[row, : len(first[row])])
        for row, query in enumerate(ids)
    }


def compared_on_lists(
    settings: TrainedRun,
    collection: Collection,
    reader: Reader,
    teacher: TeacherState,
) -> dict[str, Any]:
    """Return how retriever and ranker do on held-out lists, and how far they are apart; means over queries.

    Returns:
        ``lists``, how many; ``right``, how often each puts the positive first; ``divergence`` in nats, from
        the ranker as it is and as it was; ``agreement``, how often both put the same passage first.
    """
    k, negatives = settings.sampler.draws
    lists = held_out_lists(collection, teacher.start, k=k, negatives=negatives)
    own = retriever_scores(lists, reader.queries(lists.split), reader.documents())
    now, before = (
        rerank_scores(
            ranker,
            teacher.texts,
            lists.split,
            lists.passages,
            rows=lists.rows,
            pair_tokens=teacher.pair_tokens,
        )
        for ranker in (teacher.ranker, teacher.at_start)
    )
    return {
        "lists": len(lists.rows),
        "right": {
            "retriever": float(positive_first(own).mean()),
            "ranker": float(positive_first(now).mean()),
        },
        "divergence": {
            "ranker": float(divergence(now, own).mean()),
            "base ranker": float(divergence(before, own).mean()),
        },
        "agreement": float(agreement(now, own).mean()),
    }


def _in_order(documents: list[str], scores: np.ndarray[Any, np.dtype[np.float32]]) -> dict[str, float]:
    order = np.argsort(-scores, kind="stable")
    best = strictly_decreasing(scores[order])
    rest = best[-1] - 1 - np.arange(len(documents) - len(best), dtype=np.float32)
    names = [documents[place] for place in order] + documents[len(best) :]
    return dict(zip(names, np.concatenate([best, rest]).tolist(), strict=True))
