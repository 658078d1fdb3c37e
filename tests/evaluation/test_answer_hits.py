"""Answer hits: the share of queries with a passage that holds an answer among the first k."""

from __future__ import annotations

import numpy as np
import pytest

from harness.collections.collection import Collection, Queries
from harness.errors import UserError
from harness.evaluation.measures import (
    check_measure,
    cutoff_of,
    describe_provider,
    evaluate,
    evaluate_split,
    grade_of,
    reads_answers,
)
from harness.evaluation.rankings import Ranking

TEXTS = ("Red apples", "green pears", "An apple a day", "pears and plums")
IDS = ("a", "b", "c", "d")
ANSWERS = {"q0": ("apple",), "q1": ("PLUMS", "cherries"), "q2": ("kiwi",)}
RANKING = {
    "q0": {"a": 4.0, "b": 3.0, "c": 2.0},
    "q1": {"d": 4.0, "a": 3.0},
    "q2": {"a": 4.0, "b": 3.0},
    "q3": {"a": 4.0},
}


@pytest.fixture
def collection() -> Collection:
    ids = tuple(f"q{n}" for n in range(5))
    queries = Queries(ids, ("?",) * 5, {query: {"b": 2} for query in ids}, {}, ANSWERS)
    return Collection("fruit", False, IDS, TEXTS, {"test": queries})


def hits(collection: Collection, cutoff: int, ranking: Ranking = RANKING) -> list[float]:
    values = evaluate_split(ranking, collection, "test", [f"AnswerHit@{cutoff}"])
    assert list(values["query"]) == list(collection.queries["test"].ids)
    return [float(value) for value in values["value"]]


def test_a_hit_is_an_answer_among_the_first_k(collection: Collection) -> None:
    assert hits(collection, 1) == [0, 1, 0, 0, 0]
    assert hits(collection, 2) == [0, 1, 0, 0, 0]
    assert hits(collection, 3) == hits(collection, 100) == [1, 1, 0, 0, 0]


def test_a_query_without_answers_or_ranking_is_no_hit_and_counts(collection: Collection) -> None:
    assert np.mean(hits(collection, 3)) == 2 / 5
    assert hits(collection, 3, {}) == [0.0] * 5


def test_it_stands_beside_measures_of_judgements(collection: Collection) -> None:
    names = ["RR(rel=2)@10", "AnswerHit@1", "Success(rel=2)@2", "AnswerHit@3", "RR(rel=2)@100"]
    values = evaluate_split(RANKING, collection, "test", names)
    alone = evaluate(RANKING, collection.queries["test"].qrels, ["Success(rel=2)@2"])
    means = values.groupby("measure", sort=False)["value"].mean()
    assert list(means.index) == names
    assert means["Success(rel=2)@2"] == alone["value"].mean() == 2 / 5
    assert (means["AnswerHit@1"], means["AnswerHit@3"]) == (1 / 5, 2 / 5)
    assert means["RR(rel=2)@10"] == means["RR(rel=2)@100"] == 1 / 5


def test_only_the_documents_up_to_the_cutoff_are_looked_at(collection: Collection) -> None:
    hits(collection, 1)
    assert set(collection.answer_texts._read) == {IDS.index(name) for name in ("a", "d")}
    hits(collection, 2)
    assert set(collection.answer_texts._read) == {IDS.index(name) for name in ("a", "b", "d")}


def test_its_name_cutoff_and_provider() -> None:
    for cutoff in (1, 5, 20, 100):
        check_measure(f"AnswerHit@{cutoff}")
        assert cutoff_of(f"AnswerHit@{cutoff}") == cutoff and grade_of(f"AnswerHit@{cutoff}") == 1
    assert describe_provider("AnswerHit@5").startswith("answers (regex ")
    assert reads_answers("AnswerHit@5") and not reads_answers("Success(rel=2)@5")


@pytest.mark.parametrize(
    "name", ["AnswerHit", "AnswerHit@0", "AnswerHit(rel=2)@5", "AnswerHit@-1", "AnswerHits@5"]
)
def test_what_is_no_such_measure_is_refused(name: str) -> None:
    with pytest.raises(UserError):
        check_measure(name)
