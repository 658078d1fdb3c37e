"""Strictly decreasing scores, every judged query, and the same figures from the ir_measures command line."""

from __future__ import annotations

import gzip
import subprocess
import sys
from hashlib import sha256

import ir_measures
import numpy as np
import pytest

from harness.errors import UserError
from harness.evaluation.measures import describe_provider, evaluate, parse_measure, provider_of
from harness.evaluation.rankings import (
    QUERIES_AT_ONCE,
    make_ranking,
    read_ranking,
    strictly_decreasing,
    write_qrels,
    write_ranking,
)

MEASURES = ["RR(rel=2)@10", "R(rel=2)@50", "nDCG@10", "Success(rel=2)@20"]


def example(queries: int = 30, documents: int = 80):
    rng = np.random.default_rng(3)
    ids = [f"d{n}" for n in range(documents)]
    scores = -np.sort(-rng.normal(size=(queries, documents)).round(1).astype(np.float32), axis=1)
    numbers = np.stack([rng.permutation(documents) for _ in range(queries)])
    names = [f"q{n}" for n in range(queries)]
    qrels = {
        q: {ids[d]: int(rng.integers(1, 3)) for d in rng.choice(documents, 4, replace=False)} for q in names
    }
    return make_ranking(names, ids, scores, numbers), qrels


def test_ties_are_broken_by_the_document_not_by_its_place():
    scores = np.array([[1, 1, 1, 1, 0]], dtype=np.float32)
    one = make_ranking(["q"], list("abcde"), scores, np.array([[0, 1, 2, 3, 4]]))
    other = make_ranking(["q"], list("abcde"), scores, np.array([[3, 1, 2, 0, 4]]))
    assert one == other
    values = np.array(list(one["q"].values()), dtype=np.float32)
    assert (np.diff(values) < 0).all()


@pytest.mark.parametrize("rounded", [0, 1, 5])
@pytest.mark.parametrize("in_order", [True, False])
def test_a_ranking_is_by_score_and_then_by_the_hash_of_the_id(rounded, in_order):
    rng = np.random.default_rng(rounded)
    ids, scores = [f"d{n}" for n in range(60)], rng.normal(size=(9, 40)).round(rounded).astype(np.float32)
    scores = -np.sort(-scores, axis=1) if in_order else scores
    numbers = np.stack([rng.permutation(60)[:40] for _ in range(9)])
    found = make_ranking([f"q{n}" for n in range(9)], ids, scores, numbers)
    for row, documents in enumerate(found.values()):
        score = dict(zip([ids[number] for number in numbers[row]], scores[row].tolist(), strict=True))
        assert list(documents) == sorted(score, key=lambda d: (-score[d], sha256(d.encode()).digest()))


@pytest.mark.parametrize("scores", [[3.0, 3.0, 3.0, 2.9999998, 1.0], [0.0] * 6, [1e9, 1e9, -1e9, -1e9]])
def test_scores_decrease_strictly_as_32_bit_numbers(scores):
    decreasing = strictly_decreasing(np.array(scores, dtype=np.float32))
    assert (np.diff(decreasing) < 0).all()
    np.testing.assert_allclose(decreasing, scores, rtol=1e-6, atol=1e-30)


def test_a_written_ranking_reads_back_and_has_the_same_bytes(tmp_path):
    ranking, _ = example()
    write_ranking(ranking, tmp_path / "a.trec.gz", "tag")
    write_ranking(read_ranking(tmp_path / "a.trec.gz"), tmp_path / "b.trec.gz", "tag")
    assert (tmp_path / "a.trec.gz").read_bytes() == (tmp_path / "b.trec.gz").read_bytes()
    assert [list(d) for d in read_ranking(tmp_path / "a.trec.gz").values()] == [
        list(d) for d in ranking.values()
    ]


@pytest.mark.parametrize("name", ["doc 7", "a\u00a0b", "%20", "\u2028", "50%", "\x85x\x1c", "ü/?&\t"])
def test_an_id_comes_back_whatever_blanks_it_has(name, tmp_path):
    ranking = {f"q{name}": {name: 2.0, "other": 1.0}}
    write_ranking(ranking, tmp_path / "a.trec.gz", "tag")
    assert read_ranking(tmp_path / "a.trec.gz") == ranking
    (line, _) = gzip.decompress((tmp_path / "a.trec.gz").read_bytes()).decode().splitlines()
    assert len(line.split()) == 6


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_result_is_no_ranking(bad):
    scores = np.array([[3, 2, 1], [3, bad, 1]], dtype=np.float32)
    numbers = np.array([[0, 1, 2], [0, 1, 2]])
    with pytest.raises(UserError, match="1 of 2 queries have scores that are not finite"):
        make_ranking(["q", "r"], list("abc"), scores, numbers)
    with pytest.raises(UserError, match="2 of 2 queries"):
        make_ranking(["q", "r"], list("abc"), np.nan_to_num(scores), np.array([[0, -1, 2], [-1, -1, -1]]))
    with pytest.raises(UserError, match="all 3 documents score the same for each of the 2 queries"):
        make_ranking(["q", "r"], list("abc"), np.zeros((2, 3), np.float32), numbers)
    assert make_ranking(["q"], list("a"), np.zeros((1, 1), np.float32), numbers[:1, :1]) == {"q": {"a": 0.0}}


def test_a_query_does_not_retrieve_itself():
    scores = np.array([[3, 2, 1], [3, 2, 1]], dtype=np.float32)
    numbers = np.array([[0, 1, 2], [2, 1, 0]])
    ranking = make_ranking(["a", "q"], list("abc"), scores, numbers, own={0: 0}, depth=2)
    assert {query: list(found) for query, found in ranking.items()} == {"a": ["b", "c"], "q": ["c", "b"]}


@pytest.mark.parametrize("grades", [{"d": -2}, {"d": -1, "e": -4}, {"d": -1, "e": 2}])
def test_grades_below_0_count_as_0(grades):
    qrels = {f"q{n}": {f"d{n}": 2} for n in range(10)} | {"q": grades}
    ranking = {query: {"d": 2.0, "e": 1.0} for query in qrels}
    values = evaluate(ranking, qrels, MEASURES).set_index(["measure", "query"])["value"]
    clipped = evaluate(ranking, qrels | {"q": {d: max(g, 0) for d, g in grades.items()}}, MEASURES)
    assert values.equals(clipped.set_index(["measure", "query"])["value"])
    assert values["RR(rel=2)@10", "q"] == (0.5 if "e" in grades and grades["e"] > 0 else 0)


@pytest.mark.parametrize(
    "measures",
    [
        MEASURES,
        ["P(rel=2)@5", "AP@30"],
        ["nDCG(judged_only=True)@3", "P@1"],
        ["AP", "RR@10"],
        ["Rprec", "R@7"],
        ["RR(rel=2)@3"],
        ["RR@1", "nDCG@2"],
    ],
)
@pytest.mark.parametrize("depth", [1, 7, 80])
def test_measures_of_documents_to_the_last_judged_one_are_those_of_whole_rankings(measures, depth):
    ranking, qrels = example()
    ranking = {query: dict(list(documents.items())[:depth]) for query, documents in ranking.items()}
    whole = {
        (name, metric.query_id): metric.value
        for name in measures
        for metric in ir_measures.providers.registry[provider_of(name)].iter_calc(
            [parse_measure(name)], qrels, ranking
        )
    }
    assert evaluate(ranking, qrels, measures).set_index(["measure", "query"])["value"].to_dict() == whole


@pytest.mark.parametrize("rounded", [0, 1, 4])
def test_rankings_in_order_are_those_that_sorting_makes(rounded):
    rng = np.random.default_rng(rounded)
    scores = -np.sort(-rng.normal(size=(9, 40)).round(rounded).astype(np.float32), axis=1)
    numbers, shuffled = np.stack([rng.permutation(60)[:40] for _ in range(9)]), rng.permutation(40)
    ids, queries, own = [f"d{n}" for n in range(60)], [f"q{n}" for n in range(9)], {2: int(numbers[2, 0])}
    expected = make_ranking(queries, ids, scores[:, shuffled], numbers[:, shuffled], own=own, depth=30)
    found = make_ranking(queries, ids, scores, numbers, own=own, depth=30)
    assert [list(ranked.items()) for ranked in found.values()] == [
        list(ranked.items()) for ranked in expected.values()
    ]


@pytest.mark.parametrize("queries", [0, 1, QUERIES_AT_ONCE, QUERIES_AT_ONCE + 1])
def test_a_ranking_is_written_line_by_line_as_it_is(queries, tmp_path):
    scores = [12.5, 1.0, 0.100000001, 1.2345e-05, -3.0, -1e20]
    ranking = {
        f"q {n}%s": {f"d{n} {i}%d": score for i, score in enumerate(scores[n:])} for n in range(queries)
    }
    write_ranking(ranking, tmp_path / "a.trec.gz", "5%s")
    lines = [
        f"q%20{n}%s Q0 d{n}%20{i}%d {i + 1} {score:.9g} 5%s\n"
        for n in range(queries)
        for i, score in enumerate(scores[n:])
    ]
    assert gzip.decompress((tmp_path / "a.trec.gz").read_bytes()).decode() == "".join(lines)


def test_the_command_line_of_ir_measures_gives_the_same_figures(tmp_path):
    ranking, qrels = example()
    write_ranking(ranking, tmp_path / "run.trec.gz", "tag")
    write_qrels(qrels, tmp_path / "run.qrels")
    here = (
        evaluate(read_ranking(tmp_path / "run.trec.gz"), qrels, MEASURES).groupby("measure")["value"].mean()
    )
    command = [
        sys.executable,
        "-m",
        "ir_measures",
        str(tmp_path / "run.qrels"),
        str(tmp_path / "run.trec.gz"),
    ]
    printed = subprocess.run([*command, *MEASURES], capture_output=True, text=True, check=True).stdout
    there = dict(line.split("\t") for line in printed.strip().splitlines())
    assert len(there) == 4
    for name in MEASURES:
        assert float(there[str(parse_measure(name))]) == pytest.approx(here[name], abs=5e-5)


def test_a_judged_query_without_a_ranking_counts_as_zero():
    ranking, qrels = example()
    full = evaluate(ranking, qrels, MEASURES)
    del ranking["q7"]
    fewer = evaluate(ranking, qrels, MEASURES)
    assert len(fewer) == len(full)
    assert (fewer[fewer["query"] == "q7"]["value"] == 0).all()


def test_reciprocal_rank_is_what_its_definition_says():
    ranking = {"q": {"a": 3.0, "b": 2.0, "c": 1.0}}
    values = evaluate(ranking, {"q": {"a": 1, "c": 2}}, ["RR(rel=2)@10", "RR(rel=1)@10"])["value"].tolist()
    assert values == pytest.approx([1 / 3, 1.0])


def test_unknown_measures_and_unjudged_queries_are_clear_errors():
    with pytest.raises(UserError, match="unknown measure"):
        parse_measure("MMR@10")
    with pytest.raises(UserError, match="ranked but not judged"):
        evaluate({"x": {"a": 1.0}}, {"q": {"a": 1}}, ["nDCG@10"])


def test_the_provider_is_named_with_its_version():
    assert describe_provider("RR(rel=2)@10").startswith("msmarco (ir-measures ")
    assert describe_provider("nDCG@10").startswith("pytrec_eval (pytrec_eval-terrier ")


def test_a_corrupt_ranking_is_a_clear_error(tmp_path):
    (tmp_path / "torn.trec.gz").write_bytes(b"\x1f\x8b torn")
    with pytest.raises(UserError, match="corrupt ranking"):
        read_ranking(tmp_path / "torn.trec.gz")
