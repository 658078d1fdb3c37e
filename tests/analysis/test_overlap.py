"""Shares in common that are known beforehand, or follow from inclusion probabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.overlap import CANDIDATES, COMMON, INDEPENDENT, overlap, overlap_between_rounds
from harness.analysis.overlap_figure import draw_overlap
from harness.errors import UserError
from harness.negatives.inclusion import inclusion
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler

from ..negatives.conftest import make_candidates

ROWS, K, N = 400, 12, 3


def sampler(law, draw="without-replacement", n=N):
    return Sampler(make_law(law), make_draw(draw), n)


@pytest.fixture
def candidates():
    return make_candidates(np.random.default_rng(0).normal(size=(ROWS, K)))


def share(frame, one, other, noise):
    lines = frame.query("sampler == @one and other == @other and noise == @noise")
    assert len(lines) == 1
    return lines["value"].iloc[0]


def test_independent_draws_share_the_product_of_their_inclusion_probabilities(candidates):
    samplers = {"score": sampler("score"), "simans": sampler("simans")}
    frame = overlap(samplers, candidates, visits=20)
    chance = {name: inclusion(of, candidates).chance for name, of in samplers.items()}
    for one, other in (("score", "simans"), ("score", "score")):
        expected = (chance[one] * chance[other]).sum() / (ROWS * N)
        assert share(frame, one, other, INDEPENDENT) == pytest.approx(expected, abs=0.01)


def test_the_same_noise_gives_the_same_draws_and_more_in_common(candidates):
    frame = overlap({"score": sampler("score"), "simans": sampler("simans")}, candidates)
    assert share(frame, "score", "score", COMMON) == 1
    assert share(frame, "score", "simans", COMMON) > share(frame, "score", "simans", INDEPENDENT) + 0.05


def test_a_smaller_draw_lies_in_a_larger_one(candidates):
    frame = overlap({"few": sampler("score", "best", 2), "many": sampler("score", "best", 8)}, candidates)
    assert share(frame, "few", "many", INDEPENDENT) == 1
    assert share(frame, "many", "few", INDEPENDENT) == pytest.approx(2 / 8)


def test_uniform_has_what_chance_has(candidates):
    line = overlap({"uniform": sampler("uniform")}, candidates, visits=20).iloc[0]
    assert line["chance"] == pytest.approx(N / K)
    assert line["low"] < N / K < line["high"]


def test_rounds_are_compared_by_document_whatever_its_column(candidates):
    shuffle = np.random.default_rng(1).permutation(K)
    columns = ("document", "score", "positive_similarity", "valid", "origin", "document_norm")
    moved = replace(candidates, **{name: getattr(candidates, name)[:, shuffle] for name in columns})
    others = replace(candidates, document=candidates.document + K)
    frame = overlap_between_rounds({"best": sampler("score", "best")}, [candidates, moved, others])
    values = frame.set_index(["round", "sampler", "noise"])["value"]
    assert values[0, CANDIDATES, ""] == 1
    assert values[0, "best", INDEPENDENT] == 1
    assert values[1, CANDIDATES, ""] == 0
    assert values[1, "best", COMMON] == 0


def test_rounds_that_do_not_fit_are_refused(candidates):
    of = {"best": sampler("score", "best")}
    with pytest.raises(UserError, match="needs two of them"):
        overlap_between_rounds(of, [candidates])
    with pytest.raises(UserError, match="different pairs"):
        overlap_between_rounds(of, [candidates, candidates.rows(np.arange(5))])


def test_the_figure_is_drawn_from_the_frame(candidates, tmp_path):
    frame = overlap({"score": sampler("score"), "uniform": sampler("uniform")}, candidates)
    draw_overlap(frame, tmp_path / "a.svg", tmp_path / "a.png", title="A title")
    assert "</svg>" in (tmp_path / "a.svg").read_text()
    assert (tmp_path / "a.png").stat().st_size > 5000
