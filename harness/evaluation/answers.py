"""Whether a passage that holds an answer string is among the first k, as DPR counts hits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import ir_measures
from ir_measures import measures, providers
from ir_measures.providers import base

from harness.collections.collection import Collection
from harness.evaluation.rankings import Ranking

NAME, PROVIDER = "AnswerHit", "answers"
"""The measure that reads answers in the place of judgements, and its provider."""


class _AnswerHit(measures.Measure):  # type: ignore[misc]  # ir-measures has no types
    """1 if a passage that holds an answer of the query is among the first k, else 0."""

    __name__ = NAME = "AnswerHit"
    SUPPORTED_PARAMS = {"cutoff": measures.ParamInfo(dtype=int, required=True)}  # noqa: RUF012


class _Evaluator(providers.Evaluator):  # type: ignore[misc]
    def __init__(self, hits: list[Any], holding: dict[str, dict[str, int]]) -> None:
        super().__init__(hits, holding)
        self._holding = holding

    def _iter_calc(self, run: Ranking) -> Iterator[Any]:
        """Yield the values of all queries that are ranked; documents stand in their order, best first."""
        for query, documents in run.items():
            held = self._holding.get(query, {})
            first = next((place for place, document in enumerate(documents) if document in held), None)
            for hit in self.measures:
                value = float(first is not None and first < hit.params["cutoff"])
                yield ir_measures.Metric(query_id=query, measure=hit, value=value)


class _Answers(providers.Provider):  # type: ignore[misc]
    """Computes hits from query id -> documents that hold an answer, in the place of judgements."""

    NAME = PROVIDER
    SUPPORTED_MEASURES = [_AnswerHit(cutoff=base.Any(required=True))]  # noqa: RUF012

    def _evaluator(self, hits: Any, qrels: dict[str, dict[str, int]]) -> _Evaluator:
        return _Evaluator(list(hits), qrels)


measures.register(_AnswerHit())
providers.register(_Answers())


def holding(collection: Collection, split: str, ranking: Ranking, deepest: int) -> dict[str, dict[str, int]]:
    """Return query id -> its first documents that hold an answer; none of a query without answers.

    The released code of DPR, AR2 and SimANS counts such a query as no hit, and so does an evaluation here.

    Args:
        collection: documents, and queries with answers.
        split: which queries.
        ranking: documents of its queries, best first.
        deepest: how many documents of a ranking are looked at.
    """
    number, texts, found = collection.number, collection.answer_texts, {}
    for query, given in collection.queries[split].answers.items():
        answers = texts.prepared(given)
        first = itertools.islice(ranking.get(query, {}), deepest)
        found[query] = {document: 1 for document in first if texts.hold(number[document], answers)}
    return found
