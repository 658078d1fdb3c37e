"""Frames of inclusion probabilities, and that their figures can be drawn from the frames alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness.analysis.inclusion_by_rank import (
    GRIDS,
    inclusion_over_parameters,
    inclusion_per_rank,
)
from harness.analysis.inclusion_figure import draw_inclusion, draw_inclusion_over_parameters
from harness.errors import UserError
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler

from ..negatives.conftest import make_candidates

N = 3


def sampler(law, draw="without-replacement", **parameters):
    return Sampler(make_law(law, parameters), make_draw(draw), N)


@pytest.fixture
def candidates():
    rng = np.random.default_rng(0)
    score = rng.normal(size=(6, 8))  # in no order, so that ranks have to be found
    valid = np.ones((6, 8), bool)
    valid[2, [1, 4]] = False
    return make_candidates(score, rng.normal(size=6), score + 0.3, valid=valid)


def test_ranks_are_by_score_and_short_rows_count_where_they_reach(candidates):
    frame = inclusion_per_rank({"best": sampler("score", "best"), "uniform": sampler("uniform")}, candidates)
    best = frame[frame["sampler"] == "best"]
    assert best["mean"].tolist() == [1.0] * N + [0.0] * 5
    assert best["rank"].tolist() == [*range(1, 9)]
    assert best["rows"].tolist() == [6] * 6 + [5] * 2
    last = frame[(frame["sampler"] == "uniform") & (frame["rank"] == 8)].iloc[0]
    assert last["mean"] == pytest.approx(N / 8)  # the short row has no such rank
    first = frame[(frame["sampler"] == "uniform") & (frame["rank"] == 1)].iloc[0]
    assert first["mean"] == pytest.approx((5 * N / 8 + N / 6) / 6)
    assert first["low"] < first["mean"] < first["high"]


def test_a_sharper_bell_draws_nearer_to_the_positive():
    candidates = make_candidates(np.tile(np.linspace(2, -2, 9), (2, 1)))
    frame = inclusion_over_parameters(sampler("simans"), candidates, grid={"a": (0.0, 1.0, 9.0)})
    middle = frame[frame["rank"] == 5].set_index("value")["mean"]
    assert middle[0.0] == pytest.approx(N / 9)
    assert middle.is_monotonic_increasing


def test_b_moves_the_peak():
    candidates = make_candidates(np.tile(np.linspace(2, -2, 9), (2, 1)))
    frame = inclusion_over_parameters(sampler("simans", a=4.0), candidates, grid={"b": (-1.0, 1.0)})
    peaks = frame.loc[frame.groupby("value")["mean"].idxmax()].set_index("value")["rank"]
    assert peaks.to_dict() == {-1.0: 7, 1.0: 3}


@pytest.mark.parametrize("law", GRIDS)
def test_every_grid_is_of_its_law(law, candidates):
    frame = inclusion_over_parameters(sampler(law), candidates, visits=2)
    assert set(frame["parameter"]) == set(GRIDS[law])


def test_an_unknown_parameter_is_refused(candidates):
    with pytest.raises(UserError, match="no parameter 'c'"):
        inclusion_over_parameters(sampler("simans"), candidates, grid={"c": (1.0,)})


def test_figures_are_drawn_from_frames(candidates, tmp_path):
    whole = inclusion_per_rank({"a": sampler("score"), "b": sampler("trisampler")}, candidates)
    swept = pd.concat([inclusion_over_parameters(sampler(law), candidates) for law in ("simans", "debiased")])
    drawn = {
        draw_inclusion: whole,
        draw_inclusion_over_parameters: swept,
    }
    for number, (draw, frame) in enumerate(drawn.items()):
        draw(frame, tmp_path / f"{number}.svg", tmp_path / f"{number}.png", title="A title")
        assert "</svg>" in (tmp_path / f"{number}.svg").read_text()
        assert (tmp_path / f"{number}.png").stat().st_size > 5000
