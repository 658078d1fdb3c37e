"""Samplers beside the n best at as many false negatives: exact curves, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.against_best import against_best
from harness.analysis.trade import pushes, trade
from harness.errors import UserError
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler
from harness.training.batches import TrainingPairs

from ..negatives.conftest import make_candidates

ROWS, K = 30, 8
BEST = Sampler(make_law("score"), make_draw("best"), 3)
UNIFORM = Sampler(make_law("uniform"), make_draw("without-replacement"), 3)


@pytest.fixture
def candidates():
    """Document j has rank j + 1 and the gap 1 - j in every row."""
    return make_candidates(np.tile(1.0 - np.arange(K), (ROWS, 1)))


def pairs_of(*known: list[int]) -> TrainingPairs:
    return TrainingPairs(
        pairs=np.column_stack([np.arange(ROWS), np.full(ROWS, 10_000)]),
        labelled=[np.array([10_000])] * ROWS,
        known_relevant=[np.array([*known[row % len(known)], 10_000]) for row in range(ROWS)],
    )


def test_the_best_lie_on_their_own_curve(candidates):
    line = against_best({"best": BEST}, candidates, pairs_of([1], [2], [3])).iloc[0]
    assert line["of_known"] == pytest.approx(2 / 3)
    assert (line["best_n"], line["difference"]) == (pytest.approx(3), pytest.approx(0, abs=1e-12))


def test_more_of_the_best_that_cost_nothing_are_taken(candidates):
    line = against_best({"best": BEST}, candidates, pairs_of([0], [2], [4])).iloc[0]
    assert line["best_n"] == pytest.approx(4)
    assert line["difference"] < 0


def test_uniform_draws_lie_below_where_relevant_ones_are_as_deep_as_others(candidates):
    line = against_best({"uniform": UNIFORM}, candidates, pairs_of([1], [4]), visits=40).iloc[0]
    at_all = trade({"uniform": UNIFORM}, candidates, pairs_of([1], [4]), counts=(3,), visits=40)
    there = at_all.set_index("sampler").loc["uniform"]
    assert line["kept"] == pytest.approx(there["kept"])
    assert line["of_known"] == pytest.approx(there["of_known"])
    assert line["best_n"] == pytest.approx(1 + 2 * line["of_known"])  # rank 2 holds half of the known ones
    assert line["low"] <= line["difference"] <= line["high"] < 0


def test_uniform_draws_lie_above_where_the_best_are_all_relevant(candidates):
    line = against_best({"uniform": UNIFORM}, candidates, pairs_of([0, 1, 2]), visits=40).iloc[0]
    assert line["kept_by_best"] == pytest.approx(0, abs=1e-12)
    assert line["low"] > 0


def test_information_kept_is_the_push_of_what_is_not_relevant(candidates):
    line = against_best({"best": BEST}, candidates, pairs_of([1])).iloc[0]
    push = pushes(candidates)[0]
    assert line["kept"] == pytest.approx((push[0] + push[2]) / (push.sum() - push[1]))


def test_without_a_known_one_nothing_is_paid(candidates):
    with pytest.raises(UserError, match="no candidate is known to be relevant"):
        against_best({"best": BEST}, candidates, pairs_of([]))
