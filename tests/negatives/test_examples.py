"""Sampling distributions of single rows, and their figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.negatives.candidates import Candidates
from harness.negatives.examples import example_distributions, spread_rows
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler
from harness.reports.distributions.figure import draw_examples

from .conftest import make_candidates

N = 3


def sampler(law: str) -> Sampler:
    return Sampler(make_law(law), make_draw("without-replacement"), N)


@pytest.fixture
def candidates() -> Candidates:
    rng = np.random.default_rng(0)
    score = rng.normal(size=(6, 8))  # in no order, so that ranks have to be found
    valid = np.ones((6, 8), bool)
    valid[2, [1, 4]] = False
    return make_candidates(score, rng.normal(size=6), score + 0.3, valid=valid)


def test_examples_show_the_whole_law_of_a_row(candidates: Candidates) -> None:
    frame = example_distributions(sampler("score"), candidates, rows=[0, 2])
    sums = frame.groupby("query", sort=False)[["first", "inclusion"]].sum()
    np.testing.assert_allclose(sums["first"], 1)
    np.testing.assert_allclose(sums["inclusion"], N)
    assert (frame.groupby("query")["gap"].diff().dropna() <= 0).all()
    assert frame.groupby("query").size().tolist() == [8, 6]


def test_rows_are_spread_by_the_gap_of_their_best_candidate() -> None:
    gaps = np.array([5.0, -2.0, 3.0, 1.0, -1.0, 4.0, 0.0, 2.0, -3.0])
    candidates = make_candidates(np.stack([gaps - 9, gaps], axis=1), np.zeros(9))
    assert [gaps[row] for row in spread_rows(candidates)] == [-1.0, 0.0, 2.0, 3.0]
    assert [gaps[row] for row in spread_rows(candidates, 1)] == [1.0]
    assert len(set(spread_rows(candidates, 9))) <= 9


def test_the_figure_is_drawn_from_the_frame(candidates: Candidates, tmp_path: Path) -> None:
    frame = example_distributions(sampler("simans"), candidates)
    draw_examples(frame, tmp_path / "a.svg", tmp_path / "a.png", title="A title")
    text = (tmp_path / "a.svg").read_text()
    assert all(f"query {query}" in text for query in frame["query"].unique())
    assert (tmp_path / "a.png").stat().st_size > 5000
    frame["query"] = "q" * 5000
    draw_examples(frame, tmp_path / "b.svg", tmp_path / "b.png", title="A title")
    assert "qqqq…qqqq" in (tmp_path / "b.svg").read_text()
