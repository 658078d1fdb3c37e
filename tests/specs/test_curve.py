"""Targets of kind curve: what they watch, and where they begin."""

from __future__ import annotations

import pytest

from harness.specs.library import Library
from harness.specs.resolve import resolve

from .conftest import Broken

FIGURE = "trisampler/figure-4"


def test_a_curve_is_of_the_dev_queries_and_begins_at_the_base(library: Library) -> None:
    resolved = resolve(library, FIGURE, "simulation")
    assert [(column.label, column.split) for column in resolved.columns] == [
        ("MRR@10", "dev"), ("nDCG@10", "test"),
    ]  # fmt: skip
    assert resolved.primary.split == "dev" and resolved.target.compared_with == "Base"


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
