"""Counts, denominators and the trade on rows in which the false negatives are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.analysis.false_negatives import false_negatives, known_relevant
from harness.analysis.false_negatives_figure import draw_false_negatives, draw_trade
from harness.analysis.trade import pushes, trade, trade_over_parameter
from harness.errors import UserError
from harness.negatives.inclusion import inclusion
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler
from harness.training.batches import TrainingPairs

from ..negatives.conftest import make_candidates

ROWS, K = 20, 8
BEST = Sampler(make_law("score"), make_draw("best"), 2)
TOP = Sampler(make_law("score"), make_draw("without-replacement"), 3)


@pytest.fixture
def candidates():
    """Document j has rank j + 1 and the gap 1 - j in every row."""
    return make_candidates(np.tile(1.0 - np.arange(K), (ROWS, 1)))


@pytest.fixture
def pairs():
    """Documents 0 and 5 are relevant to even queries; the positive, known as well, is no candidate."""
    known = [np.array([0, 5, 10_000] if row % 2 == 0 else [10_000]) for row in range(ROWS)]
    return TrainingPairs(
        pairs=np.column_stack([np.arange(ROWS), np.full(ROWS, 10_000)]),
        labelled=[np.array([10_000])] * ROWS,
        known_relevant=known,
    )


def test_counts_have_their_denominators(candidates, pairs):
    line = false_negatives({"best": BEST}, candidates, pairs, visits=3).iloc[0]
    assert (line["drawn"], line["false_negatives"]) == (3 * ROWS * 2, 3 * ROWS // 2)
    assert (line["candidates"], line["known"]) == (ROWS * K, ROWS)
    assert line["share"] == pytest.approx(1 / 4)
    assert line["of_known"] == pytest.approx(1 / 2)
    assert line["low"] < 1 / 4 < line["high"]


def test_bins_by_rank_and_by_gap(candidates, pairs):
    by_rank = false_negatives({"best": BEST}, candidates, pairs, by="rank").set_index("bin")
    assert by_rank["known"].to_dict() == {"1": ROWS // 2, "2": 0, "3-5": 0, "6-10": ROWS // 2}
    assert by_rank["share"]["1"] == pytest.approx(1 / 2)
    assert by_rank["share"]["2"] == 0
    assert by_rank["drawn"]["6-10"] == 0
    assert np.isnan(by_rank["share"]["6-10"])
    by_gap = false_negatives({"best": BEST}, candidates, pairs, by="gap").set_index("bin")
    assert by_gap["known"]["1 to 2"] == ROWS // 2
    assert by_gap["candidates"]["-8 to -4"] == 2 * ROWS  # gaps of -5 and -6
    assert by_gap["known"]["-4 to -2"] == ROWS // 2  # document 5 has the gap -4
    assert by_gap["candidates"].sum() == ROWS * K


def test_only_what_may_be_drawn_is_known(candidates, pairs):
    valid = np.ones((ROWS, K), bool)
    valid[0, 0] = False
    masked = replace(candidates, valid=valid)
    assert known_relevant(masked, pairs).sum() == ROWS - 1
    assert not known_relevant(masked, pairs)[0, 0]


def test_rows_may_be_some_of_the_pairs(candidates, pairs):
    some = candidates.rows(np.array([7, 4]))
    assert known_relevant(some, pairs).sum(axis=1).tolist() == [0, 2]


def test_pairs_of_another_split_are_refused(candidates, pairs):
    with pytest.raises(UserError, match="nothing is known of query 400"):
        known_relevant(replace(candidates, query=np.arange(ROWS) + 400), pairs)


def test_draws_agree_with_inclusion_probabilities(candidates, pairs):
    line = false_negatives({"top": TOP}, candidates, pairs, visits=2000).iloc[0]
    chance = inclusion(TOP, candidates).chance
    expected = (chance * known_relevant(candidates, pairs)).sum() / ROWS
    assert line["of_known"] == pytest.approx(expected, abs=0.02)


def test_the_push_is_the_derivative_of_the_softmax_loss():
    candidates = make_candidates([[1.0, -0.5, 2.0]], [0.3], valid=[[True, True, False]])

    def loss(scores):
        return np.log(np.exp(0.3) + np.exp(scores).sum()) - 0.3

    step = 1e-6
    base = np.array([1.0, -0.5])
    numeric = [(loss(base + step * of) - loss(base - step * of)) / (2 * step) for of in np.eye(2)]
    np.testing.assert_allclose(pushes(candidates)[0], [*numeric, 0.0], atol=1e-8)


def test_pushes_of_large_gaps_are_defined():
    pushed = pushes(make_candidates([[1e4, 0.0, -1e4]], [0.0]))
    np.testing.assert_allclose(pushed, [[1.0, 0.0, 0.0]])


def test_the_n_best_keep_all_but_what_false_negatives_cost(candidates, pairs):
    frame = trade({"top": TOP}, candidates, pairs, counts=(2, K), visits=2)
    line = frame.query("sampler == 'n best' and n == 2").iloc[0]
    push = pushes(candidates)[0]
    even, odd = push[1], push[0] + push[1]
    assert line["of_best"] == pytest.approx((even + odd) / (push[1] + push[2] + odd))
    every = push.sum() - push[0] - push[5] + push.sum()
    assert line["kept"] == pytest.approx((even + odd) / every)
    assert line["share"] == pytest.approx(1 / 4)
    assert line["of_known"] == pytest.approx(1 / 2)
    whole = frame[frame["n"] == K]
    np.testing.assert_allclose(whole[["kept", "of_best", "of_known"]], 1)


def test_what_is_drawn_twice_counts_once(candidates, pairs):
    again = Sampler(make_law("score", {"temperature": 0.1}), make_draw("with-replacement"), 4)
    frame = trade({"again": again}, candidates, pairs, counts=(4,))
    line = frame[frame["sampler"] == "again"].iloc[0]
    assert line["share"] > 0.45  # nearly always the first document, a false negative of half the rows
    assert line["of_known"] == pytest.approx(1 / 2, abs=0.01)
    assert line["of_best"] < 1


def test_a_reference_is_not_shown_twice(candidates, pairs):
    frame = trade({"ours": BEST, "top": TOP}, candidates, pairs, counts=(1,))
    assert frame["sampler"].tolist() == ["uniform over K", "ours", "top"]


def test_over_a_parameter_n_stays(candidates, pairs):
    frame = trade_over_parameter(TOP, candidates, pairs, parameter="temperature", values=(0.1, 10.0))
    of = frame[frame["sampler"] == "score"].set_index("value")
    assert set(of["n"]) == {3}
    assert of["kept"][0.1] > of["kept"][10.0]
    with pytest.raises(UserError, match="no parameter"):
        trade_over_parameter(TOP, candidates, pairs, parameter="a", values=(1.0,))


def test_figures_are_drawn_from_frames(candidates, pairs, tmp_path):
    frames = [false_negatives({"top": TOP}, candidates, pairs, by=by) for by in ("rank", "gap")]
    draw_false_negatives(pd.concat(frames), tmp_path / "a.svg", tmp_path / "a.png", title="A title")
    draw_trade(
        trade({"top": TOP}, candidates, pairs, counts=(1, 3)),
        tmp_path / "b.svg",
        tmp_path / "b.png",
        title="A title",
    )
    for name in ("a", "b"):
        assert "</svg>" in (tmp_path / f"{name}.svg").read_text()
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
