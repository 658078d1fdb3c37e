"""Places in the plane that are known beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.geometry import ALL, REGIONS, geometry, points, regions
from harness.analysis.geometry_figure import draw_geometry
from harness.errors import UserError
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler

from ..negatives.conftest import make_candidates

BEST = Sampler(make_law("score"), make_draw("best"), 2)
UNIFORM = Sampler(make_law("uniform"), make_draw("without-replacement"), 2)


def four(rows=3):
    """x = 3, 1, -1, -5 and y = 1, 1, -1, 1: one inside where equation 5 is near its peak."""
    score, similarity = np.array([3.0, 1.0, -1.0, -5.0]), np.array([4.0, 2.0, -2.0, -4.0])
    return make_candidates(np.tile(score, (rows, 1)), np.zeros(rows), np.tile(similarity, (rows, 1)))


def value(frame, sampler, quantity, reading=""):
    lines = frame.query("sampler == @sampler and quantity == @quantity and reading == @reading")
    assert len(lines) == 1
    return lines["value"].iloc[0]


def test_shares_of_draws_and_of_candidates():
    frame = geometry({"best": BEST}, [four()])
    assert value(frame, ALL, "inside", "half-plane") == pytest.approx(3 / 4)
    assert value(frame, ALL, "inside", "near") == pytest.approx(1 / 4)
    assert value(frame, "best", "inside", "near") == pytest.approx(1 / 2)
    assert value(frame, "best", "zero weight") == 0
    assert value(frame, ALL, "zero weight") == pytest.approx(1 / 4)
    assert value(frame, "best", "x") == pytest.approx(2)
    assert value(frame, ALL, "y") == pytest.approx(1 / 2)
    assert value(frame, ALL, "effective candidates") == 4
    assert set(frame.loc[frame["quantity"] == "inside", "reading"]) == set(REGIONS)


def test_candidates_that_may_not_be_drawn_count_nowhere():
    candidates = four()
    valid = np.ones((3, 4), bool)
    valid[:, 2] = False
    frame = geometry({"uniform": UNIFORM}, [replace(candidates, valid=valid)])
    assert value(frame, ALL, "zero weight") == 0
    assert value(frame, ALL, "effective candidates") == 3


def test_sixty_degrees_at_the_query_is_the_relu_for_unit_vectors_as_relevant_as_the_positive():
    """Isosceles triangles with their apex at q: the derivation behind the reading `apex`."""
    rng = np.random.default_rng(0)
    similarity = rng.uniform(-0.2, 1, (1, 200))
    same = make_candidates(np.full((1, 200), 0.6), [0.6], similarity)
    unit = replace(same, query_norm=np.ones(1), positive_norm=np.ones(1), document_norm=np.ones((1, 200)))
    inside = regions(unit)
    np.testing.assert_array_equal(inside["apex"], inside["half-plane"])
    assert 0 < inside["apex"].mean() < 1


def test_angles_of_a_right_triangle():
    """q at the origin's distance 1, d- orthogonal to q, d+ = q: equation 4 gives 90 degrees."""
    one = make_candidates([[0.0]], [1.0], [[0.0]])
    unit = replace(one, query_norm=np.ones(1), positive_norm=np.ones(1), document_norm=np.ones((1, 1)))
    single = Sampler(make_law("uniform"), make_draw("without-replacement"), 1)
    assert value(geometry({"u": single}, [unit]), "u", "angle 50 %", "eq4") == pytest.approx(90)


def test_points_name_what_was_drawn_in_each_round():
    frame = points({"best": BEST, "uniform": UNIFORM}, [four(), four()])
    drawn = frame[frame["sampler"] == "best"]
    assert len(frame[frame["sampler"] == ALL]) == 2 * 3 * 4
    assert set(drawn["round"]) == {0, 1}
    assert set(drawn["document"]) == {0, 1}
    assert sorted(drawn["x"].unique()) == [1.0, 3.0]
    assert (frame.groupby(["sampler", "round"], observed=True)["query"].nunique() == 3).all()


def test_scores_from_a_file_are_refused():
    unknown = replace(four(), positive_similarity=np.full((3, 4), np.nan))
    with pytest.raises(UserError, match="have no s"):
        geometry({"best": BEST}, [unknown])
    with pytest.raises(UserError, match="no sampler"):
        geometry({}, [four()])


def test_the_figure_is_drawn_from_the_points(tmp_path):
    frame = points({"best": BEST, "uniform": UNIFORM}, [four(), four()])
    draw_geometry(frame, tmp_path / "a.svg", tmp_path / "a.png", title="A title")
    drawn = (tmp_path / "a.svg").read_text()
    assert "</svg>" in drawn and drawn.count("<image") >= 2  # dots and cells of a panel are an image
    assert (tmp_path / "a.png").stat().st_size > 5000
