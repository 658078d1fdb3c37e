"""Strictly decreasing scores, every judged query, and the same figures from the ir_measures command line."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from harness.errors import UserError
from harness.evaluation.measures import describe_provider, evaluate, parse_measure
from harness.evaluation.rankings import (
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
    scores = np.ones((1, 5), dtype=np.float32)
    one = make_ranking(["q"], list("abcde"), scores, np.array([[0, 1, 2, 3, 4]]))
    other = make_ranking(["q"], list("abcde"), scores, np.array([[3, 1, 4, 0, 2]]))
    assert one == other
    values = np.array(list(one["q"].values()), dtype=np.float32)
    assert (np.diff(values) < 0).all()


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
