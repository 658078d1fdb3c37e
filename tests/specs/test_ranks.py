"""Targets of kind ranks: ordinary runs, whose gradients are looked at."""

from __future__ import annotations

import pytest

from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.target import with_runs

from .conftest import Broken

FIGURE = "simans/figure-1"


def test_a_figure_over_ranks_makes_ordinary_runs(library: Library) -> None:
    figure, table = (resolve(library, name, "simulation") for name in (FIGURE, "trisampler/table-5"))
    (one,), (other,) = (with_runs(of.loaded.rows("Uniform Sampling")) for of in (figure, table))
    measured = {"measures": True, "start": {"measures"}}
    made, known = (of.model_dump(exclude=measured) for of in (figure.run(one, 0), table.run(other, 0)))
    assert made == known
    assert not figure.target.headings and figure.seeds == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("evaluates: base/retriever", "evaluates: bm25"), "'rows[0].evaluates': BM25 has no gradients"),
        (("ranks: 200", "ranks: 19"), "'ranks': got 19; expected greater than or equal to 20"),
        (
            ("ranks: 200", "ranks: 200\nqueries: 15"),
            "'queries': got 15; expected greater than or equal to 16",
        ),
        (("ranks: 200", "ranks: 200\nsplit: train"), "'split': 'train' is not valid"),
        (("dataset: ms-pas", "dataset: ms-pass"), "unknown dataset 'ms-pass'; did you mean 'ms-pas'?"),
        (("kind: trained", "kind: published"), "a target of kind 'ranks' has rows made by training alone"),
    ],
)
def test_what_is_wrong_is_told_at_its_key(broken: Broken, change: tuple[str, str], expected: str) -> None:
    said = " ".join(broken(f"papers/{FIGURE}.yaml", change, target=FIGURE))
    assert expected in said
