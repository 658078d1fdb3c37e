"""What is watched of training and test queries while a run trains."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from harness.collections.collection import Collection, Queries
from harness.retrieval.encode import Reader
from harness.runs.evaluation import watched_metrics

TEXTS = ("of Paris", "the Paris of old", "London alone", "no city")
QUERIES = {"q1": [1, 0, 0, 0], "q2": [0, 0, 1, 0], "q3": [0, 0, 0, 1], "q4": [0, 1, 0, 0]}
"""Query -> what it embeds as; documents are the axes, so that it is the document which is ranked first."""
QRELS = {"q1": {"d1": 2}, "q2": {"d2": 2}, "q3": {"d3": 1}}
"""The fourth query is not judged, and counts nowhere."""


def watched(answers: dict[str, tuple[str, ...]]) -> dict[str, float]:
    queries = Queries(tuple(QUERIES), ("?",) * 4, QRELS, {}, answers)
    ids = tuple(f"d{number}" for number in range(len(TEXTS)))
    collection = Collection("cities", True, ids, TEXTS, {"train": queries})
    vectors = np.array(list(QUERIES.values()), dtype=np.float32)
    reader = cast("Reader", SimpleNamespace(queries=lambda split: vectors))
    return watched_metrics(["train"], collection, reader, np.eye(4, dtype=np.float32))


@pytest.mark.parametrize(
    ("answers", "hits"),
    [
        ({"q1": ("Paris",), "q2": ("London",), "q3": ("Rome",), "q4": ("Paris",)}, 2 / 3),
        ({"q1": ("Paris",), "q2": ("Paris",), "q3": ("city", "Rome")}, 2 / 3),
        ({"q1": ("Paris",)}, 1 / 3),
    ],
)
def test_answers_are_counted_beside_judgements_of_judged_queries(
    answers: dict[str, tuple[str, ...]], hits: float
) -> None:
    assert watched(answers) == pytest.approx({"train Success(rel=2)@1": 1 / 3, "train AnswerHit@1": hits})


def test_without_answers_judgements_are_counted_alone() -> None:
    assert watched({}) == pytest.approx({"train Success(rel=2)@1": 1 / 3})
