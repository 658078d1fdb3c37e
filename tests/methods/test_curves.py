"""Curves against the formulas of laws and the arithmetic of draws."""

from __future__ import annotations

import numpy as np
import pytest

from harness.methods.curves import (
    CANDIDATES,
    COPIES,
    DRAWN,
    GAP,
    chances,
    chances_around,
    weights,
    weights_at,
)
from harness.negatives.presets import presets
from harness.negatives.registry import LAWS, make_draw, make_law

FORMULAS = {
    "uniform": np.ones(CANDIDATES),
    "score": np.exp(GAP),
    "simans": np.exp(-0.5 * GAP**2),
    "debiased": np.maximum(np.exp(GAP) - 0.1, 0),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_weights_follow_the_formula(name: str) -> None:
    assert np.allclose(weights(make_law(name)), FORMULAS[name] / FORMULAS[name].max())


@pytest.mark.parametrize("name", LAWS)
def test_every_law_has_a_curve(name: str) -> None:
    curve = weights(make_law(name))
    assert curve.max() == 1 and curve.min() >= 0


def test_a_law_of_two_stages_is_averaged_over_noise() -> None:
    """Without the first stage the weight at gaps of -4 and -2 would be as 2 to 1."""
    far, near = weights_at(make_law("trisampler"), [-4, -2])
    assert 0 < far < near
    assert weights(make_law("trisampler"))[GAP >= 0].max() == 0


def test_a_law_without_any_weight_has_a_curve_of_zeros() -> None:
    nothing = make_law("debiased", {"reading": "F", "lam": 100.0})
    assert weights(nothing).tolist() == [0.0] * CANDIDATES


def test_gaps_of_a_plot_are_gaps_of_candidates() -> None:
    assert weights_at(make_law("simans"), [0, -1, 2]) == pytest.approx(np.exp([0, -0.5, -2.0]))


def test_equal_weights_give_equal_chances() -> None:
    chance = chances(make_law("uniform"), make_draw("without-replacement"))
    expected = DRAWN / CANDIDATES
    deviation = np.sqrt(expected * (1 - expected) / COPIES)
    assert chance.sum() == pytest.approx(DRAWN)
    assert np.abs(chance - expected).max() < 4.5 * deviation
    drawn_again = chances(make_law("uniform"), make_draw("with-replacement"))
    assert drawn_again.mean() == pytest.approx(1 - (1 - 1 / CANDIDATES) ** DRAWN, abs=0.002)


def test_the_best_are_drawn_always() -> None:
    chance = chances(make_law("score"), make_draw("best"))
    assert chance[:DRAWN].tolist() == [1.0] * DRAWN
    assert chance[DRAWN:].max() == 0


@pytest.mark.parametrize("name", [preset.name for preset in presets().values() if preset.source])
def test_every_sampler_that_draws_has_the_same_chances_twice(name: str) -> None:
    law, draw = make_law(presets()[name].law), make_draw(presets()[name].draw)
    chance = chances_around(law, draw, range(4, -9, -1))
    assert min(chance) >= 0 and 0.05 < max(chance) <= 1
    assert chance == chances_around(law, draw, range(4, -9, -1))
