"""Targets of kind curve: what they watch, and where they begin."""

from __future__ import annotations

import pytest

from harness.specs.fingerprints import chain
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import ContinuedRun

from .conftest import Broken

FIGURE = "trisampler/figure-4"


def test_a_curve_is_of_the_dev_queries_and_begins_at_the_base(library: Library) -> None:
    resolved = resolve(library, FIGURE, "simulation")
    assert [(column.label, column.split) for column in resolved.columns] == [
        ("MRR@10", "dev"), ("nDCG@10", "test"),
    ]  # fmt: skip
    assert resolved.primary.split == "dev" and resolved.target.compared_with == "Base"


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_curve_of_other_queries_has_runs_of_its_own_over_the_same_start(
    library: Library, split: str
) -> None:
    name = "simans/figure-3" if split == "train" else "simans/figure-3-test"
    resolved, table = resolve(library, name, "simulation"), resolve(library, "simans/table-2", "simulation")
    assert resolved.primary.split == split
    own, usual = (of.run(of.loaded.rows("AR2+SimANS")[0], 0, "nq") for of in (resolved, table))
    assert isinstance(own, ContinuedRun) and isinstance(usual, ContinuedRun)
    assert own.phase.watched == ("train", "test") and usual.phase.watched == ()
    assert chain(own, "collection").last != chain(usual, "collection").last
    assert chain(own.start, "collection").last == chain(usual.start, "collection").last
    begin = resolved.run(resolved.loaded.rows("AR2")[0], 0)
    assert chain(begin, "collection").last == chain(own.start, "collection").last


def test_what_is_not_watched_stands_in_no_settings(library: Library) -> None:
    resolved = resolve(library, FIGURE, "simulation")
    run = resolved.run(resolved.loaded.rows("SimANS")[0], 0)
    assert "watched" not in run.model_dump()["phase"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("watched: train", "watched: dev"), "key 'watched': 'dev' is not valid"),
        (("watched: train\n", ""), "'AnswerHit@1' is not watched while a run trains; use RR(rel=2)@10"),
        (
            ("measure: AnswerHit@1", "measure: RR(rel=2)@10"),
            "not watched while a run trains; use Success(rel=2)@1 or AnswerHit@1",
        ),
    ],
)
def test_wrong_curves_of_other_queries_are_told(
    broken: Broken, change: tuple[str, str], expected: str
) -> None:
    lines = broken("papers/simans/figure-3.yaml", change, target="simans/figure-3")
    assert any(expected in line for line in lines), lines


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("measure: RR(rel=2)@10", "measure: Success(rel=2)@20"),
            ":7: key 'columns[0].measure': 'Success(rel=2)@20' is not watched while a run trains; use RR",
        ),
        (
            ("kind: reference\n    evaluates: base/retriever", "kind: control\n    sampler: uniform"),
            ":14: key 'rows': the curves begin nowhere; add a row of `kind: reference`",
        ),
        (("evaluates: base/retriever", "evaluates: bm25"), ":15: key 'rows[0]': the reference of a"),
        (
            ("rows:\n", "rows:\n  - {name: W, kind: reference, evaluates: base/retriever}\n"),
            ":16: key 'rows[1]': the reference of a curve is the phase that all its rows continue",
        ),
        (
            ("sampler: simans\n", "sampler: simans\n    published: [\"1\"]\n"),
            ":22: key 'rows[1].published': a target of kind 'curve' shows no published figures",
        ),
        (
            ("kind: trained\n    sampler: simans", "kind: unavailable"),
            "key 'rows[1].kind': a target of kind 'curve' has rows made by training alone",
        ),
    ],
)  # fmt: skip
def test_wrong_curves_are_told(broken: Broken, change: tuple[str, str], expected: str) -> None:
    lines = broken(f"papers/{FIGURE}.yaml", change, target=FIGURE)
    assert any(expected in line for line in lines), lines
