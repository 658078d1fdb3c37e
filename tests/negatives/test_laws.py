"""Each law against its formula, and its draws against its analytic distribution."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from harness.errors import UserError
from harness.negatives.candidates import Weights
from harness.negatives.draws.draw import largest
from harness.negatives.registry import LAWS, make_draw, make_law
from harness.negatives.sampler import Sampler, chances, diagnose, effective_number

from .conftest import fresh_noise, make_candidates, repeated

DRAWS = 100_000
SCORE = np.array([2.0, 1.0, 0.5, 0.0, -0.5, -1.5])
POSITIVE = 0.8
SIMILARITY = np.array([1.0, 1.5, 0.4, 0.9, -0.2, 0.3])
GAP = SCORE - POSITIVE
ORIGIN = np.array([0, 0, 1, 1, 1, 1])

FORMULAS = {
    "uniform": ({}, np.ones(6)),
    "score": ({"temperature": 0.5}, np.exp(SCORE / 0.5)),
    "simans": ({"a": 0.5, "b": 0.3}, np.exp(-0.5 * (GAP - 0.3) ** 2)),
    "debiased A": ({"reading": "A", "tau": 0.3}, np.maximum(np.exp(GAP) - 0.3, 0)),
    "debiased B": ({"reading": "B", "tau": 0.5}, np.maximum(SCORE - 0.4, 0)),
    "debiased D": ({"reading": "D", "lam": 0.5}, np.exp(-0.5 * (SCORE - 0.4) ** 2)),
    "debiased E": ({"reading": "E"}, np.exp(SCORE) / (1 + np.exp(GAP))),
    "debiased F": ({"reading": "F", "lam": 0.5}, np.maximum(SCORE - 0.5 * SIMILARITY, 0)),
    "debiased C": ({"reading": "C", "beta": 2.0}, np.exp(2.0 * SCORE)),
    "simans laplace": ({"shape": "laplace", "a": 3.0}, np.exp(-3.0 * np.abs(GAP))),
    "simans added": ({"a": 0.5, "b": 0.3, "b_enters": "added"}, np.exp(-0.5 * (GAP + 0.3) ** 2)),
    "simans standardised": ({"gap": "standardised"}, np.exp(-0.5 * (GAP / SCORE.std()) ** 2)),
    "simans cosine": ({"gap": "cosine"}, np.exp(-0.5 * (GAP / 9) ** 2)),
    "doc-sim": ({}, np.exp(0.5 * (SIMILARITY - SIMILARITY.min()))),
    "doc-sim bell": ({"reading": "bell"}, np.exp(-0.5 * (SIMILARITY - POSITIVE) ** 2)),
    "rank-window": ({"first": 0.3, "last": 0.8}, np.array([0, 1, 1, 1, 1, 0])),
    "blend": ({"hard": 0.25}, np.array([0.125, 0.125, 0.1875, 0.1875, 0.1875, 0.1875])),
    "region": ({"width": 0.6}, np.abs(GAP) <= 0.6 * SCORE.std()),
    "region concentric": ({"shape": "concentric"}, SIMILARITY >= POSITIVE),
    "region triangular": (
        {"shape": "triangular", "width": 1.0},
        (np.abs(GAP) <= SCORE.std()) & (SIMILARITY > SCORE),
    ),
    "trisampler": ({"transitional": 1.0}, np.maximum(SIMILARITY - SCORE, 0)),
}


def one_row():
    return make_candidates(SCORE, [POSITIVE], SIMILARITY, origin=ORIGIN)


@pytest.mark.parametrize("name", FORMULAS)
def test_single_draws_follow_the_law(name):
    parameters, weight = FORMULAS[name]
    weight = weight.astype(float)
    law = make_law(name.split()[0], parameters)
    draws = Sampler(law, make_draw("without-replacement"), 1)(repeated(one_row(), DRAWS), fresh_noise(DRAWS))
    count = np.bincount(draws.column[:, 0], minlength=6)
    expected = DRAWS * weight / weight.sum()
    assert count[expected == 0].sum() == 0
    some = expected > 0
    assert stats.chisquare(count[some], expected[some]).pvalue > 1e-4


def successive(weight: np.ndarray, n: int) -> dict[tuple[int, ...], float]:
    """Probability of each ordered draw of n without replacement, by enumeration."""
    chances: dict[tuple[int, ...], float] = {(): 1.0}
    for _ in range(n):
        chances = {
            (*chosen, i): p * weight[i] / (weight.sum() - sum(weight[c] for c in chosen))
            for chosen, p in chances.items()
            for i in range(len(weight))
            if i not in chosen and weight[i] > 0
        }
    return chances


@pytest.mark.parametrize("name", ["uniform", "score", "simans", "debiased A"])
def test_draws_without_replacement_follow_successive_draws(name):
    parameters, weight = FORMULAS[name]
    expected = successive(weight, 2)
    law = make_law(name.split()[0], parameters)
    draws = Sampler(law, make_draw("without-replacement"), 2)(repeated(one_row(), DRAWS), fresh_noise(DRAWS))
    code = draws.column[:, 0] * 6 + draws.column[:, 1]
    count = np.array([np.sum(code == 6 * a + b) for a, b in expected])
    assert count.sum() == DRAWS
    assert stats.chisquare(count, DRAWS * np.array(list(expected.values()))).pvalue > 1e-4


def test_with_replacement_follows_the_law_at_every_draw():
    weight = FORMULAS["simans"][1]
    law = make_law("simans", FORMULAS["simans"][0])
    draws = Sampler(law, make_draw("with-replacement"), 3)(repeated(one_row(), DRAWS), fresh_noise(DRAWS))
    pairs = np.bincount(draws.column[:, 0] * 6 + draws.column[:, 2], minlength=36)
    share = weight / weight.sum()
    assert stats.chisquare(pairs, DRAWS * np.outer(share, share).ravel()).pvalue > 1e-4


def test_trisampler_in_two_stages_follows_the_enumerated_law():
    law = make_law("trisampler", {"transitional": 0.5})
    similarity = SCORE + np.array([0.5, 1.0, 0.2, 0.8, 0.1, 0.4])  # every candidate inside the triangle
    row = make_candidates(SCORE, [POSITIVE], similarity)
    draws = Sampler(law, make_draw("without-replacement"), 1)(repeated(row, DRAWS), fresh_noise(DRAWS))
    first, second = np.exp(-0.25 * GAP**2), similarity - SCORE
    expected = np.zeros(6)
    for chosen, p in successive(first, 3).items():
        members = list(chosen)
        expected[members] += p * second[members] / second[members].sum()
    count = np.bincount(draws.column[:, 0], minlength=6)
    assert stats.chisquare(count, DRAWS * expected).pvalue > 1e-4


def test_trisampler_draws_nothing_outside_the_triangle_while_enough_transitional_are_inside():
    rng = np.random.default_rng(0)
    score = rng.normal(size=(500, 60))
    similarity = rng.normal(size=(500, 60))
    candidates = make_candidates(score, np.zeros(500), similarity)
    draws = Sampler(make_law("trisampler", {"transitional": 1.0}), make_draw("without-replacement"), 15)(
        candidates, fresh_noise(500)
    )
    inside = np.take_along_axis(similarity > score, draws.column, axis=1)
    enough = (similarity > score).sum(axis=1) >= 15
    assert enough.sum() > 400
    assert inside[enough].all()
    assert (draws.filled[enough] == 0).all()
    short = ~enough
    assert (inside[short].sum(axis=1) == (similarity > score)[short].sum(axis=1)).all()
    assert (draws.filled[short] == 15 - inside[short].sum(axis=1)).all()


def test_trisampler_without_any_positive_weight_is_equation_5_alone():
    row = make_candidates(SCORE, [POSITIVE], SCORE - 1.0)
    law = make_law("trisampler", {"transitional": 1.0})
    draws = Sampler(law, make_draw("without-replacement"), 1)(repeated(row, DRAWS), fresh_noise(DRAWS))
    weight = np.exp(-0.25 * GAP**2)
    count = np.bincount(draws.column[:, 0], minlength=6)
    assert stats.chisquare(count, DRAWS * weight / weight.sum()).pvalue > 1e-4
    assert (draws.filled == 1).all()


@pytest.mark.parametrize("first_draw", ["without-replacement", "with-replacement"])
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("limits", [{"angle": "eq4", "degrees": 1.0}, {"angle": "apex", "degrees": 1.0}])
def test_trisampler_fills_rows_of_which_no_candidate_is_inside_the_angle(first_draw, rows, limits):
    candidates = make_candidates(np.full((rows, 6), 4.0), positive_score=np.full(rows, -8.0))
    law = make_law("trisampler", {"first_draw": first_draw, **limits})
    draws = Sampler(law, make_draw("without-replacement"), 4)(candidates, fresh_noise(rows))
    assert draws.filled.tolist() == [4] * rows
    assert [len(set(row)) for row in draws.document.tolist()] == [4] * rows


def test_trisampler_goes_beyond_the_transitional_only_when_they_are_used_up():
    row = make_candidates(SCORE, [POSITIVE], SIMILARITY)
    law = make_law("trisampler", {"transitional": 0.5})  # 3 of 6
    draws = Sampler(law, make_draw("without-replacement"), 5)(repeated(row, 200), fresh_noise(200))
    assert (draws.tiled == 0).all()
    assert all(len(set(columns)) == 5 for columns in draws.column.tolist())


def test_angle_of_60_degrees_at_the_apex_is_the_triangle_test_for_isosceles_unit_vectors():
    rng = np.random.default_rng(1)
    q, p = _unit(rng.normal(size=(2, 300, 8)))
    n = _unit(rng.normal(size=(300, 40, 8)))
    score = np.einsum("rd,rkd->rk", q, n)
    candidates = make_candidates(score, score[:, 0], np.einsum("rd,rkd->rk", p, n))
    candidates = type(candidates)(
        **{
            **candidates.__dict__,
            "positive_score": np.einsum("rd,rd->r", q, p),
            "query_norm": np.ones(300),
            "positive_norm": np.ones(300),
            "document_norm": np.ones((300, 40)),
        }
    )
    weights = make_law("trisampler", {"angle": "apex", "transitional": 1.0}).weigh(
        candidates, fresh_noise(300)
    )
    inside = np.isfinite(weights.fills[0])
    apex = _angle(p - q, n - q[:, None])
    assert np.array_equal(inside, apex <= np.pi / 3)
    assert 0 < inside.sum() < inside.size


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _angle(one: np.ndarray, many: np.ndarray) -> np.ndarray:
    cosine = np.einsum("rd,rkd->rk", one, many)
    return np.arccos(cosine / np.linalg.norm(one, axis=-1)[:, None] / np.linalg.norm(many, axis=-1))


@pytest.mark.parametrize("name", LAWS)
def test_score_gaps_of_ten_thousand_are_defined(name):
    candidates = make_candidates([[1e4, -1e4, 0.0, 5e3, 1.0, -1.0]], [0.0], [[1e4, 1e4, 1e4, -1e4, 2.0, 0.0]])
    draws = Sampler(make_law(name, {}), make_draw("without-replacement"), 4)(candidates, fresh_noise(1))
    assert len(set(draws.document[0].tolist())) == 4


@pytest.mark.parametrize("name", sorted(set(LAWS) - {"rank-window"}))
def test_ties_are_drawn_alike(name):
    candidates = repeated(make_candidates(np.full(8, 2.0), [1.0], np.full(8, 2.5)), 20_000)
    draws = Sampler(make_law(name, {}), make_draw("without-replacement"), 1)(candidates, fresh_noise(20_000))
    assert stats.chisquare(np.bincount(draws.column[:, 0], minlength=8)).pvalue > 1e-4


@pytest.mark.parametrize("name", LAWS)
def test_invalid_candidates_are_never_drawn(name):
    valid = np.array([True, False, True, True, False, True])
    candidates = repeated(make_candidates(SCORE, [POSITIVE], SIMILARITY, valid), 500)
    draws = Sampler(make_law(name, {}), make_draw("without-replacement"), 4)(candidates, fresh_noise(500))
    assert valid[draws.column].all()


def test_too_few_candidates_are_tiled_with_a_warning():
    with pytest.warns(UserWarning, match="fewer than 15 candidates"):
        draws = Sampler(make_law("simans", {}), make_draw("without-replacement"), 15)(
            one_row(), fresh_noise(1)
        )
    assert draws.tiled[0] == 9
    assert set(draws.column[0].tolist()) == set(range(6))


def test_no_candidate_at_all_is_a_clear_error():
    candidates = make_candidates(SCORE, [POSITIVE], valid=np.zeros(6, bool))
    with pytest.raises(UserError, match="no candidate left"):
        Sampler(make_law("uniform", {}), make_draw("without-replacement"), 3)(candidates, fresh_noise(1))


def test_a_score_that_is_no_number_is_a_clear_error():
    candidates = make_candidates([[1.0, np.nan]], [0.0])
    with pytest.raises(UserError, match="not a finite number"):
        Sampler(make_law("uniform", {}), make_draw("without-replacement"), 1)(candidates, fresh_noise(1))


def test_a_missed_positive_keeps_its_own_score():
    """Nothing of a law depends on whether the positive was among the candidates."""
    low = make_candidates(SCORE, [-5.0], SIMILARITY)
    weight = make_law("simans", {"a": 0.5}).weigh(low, fresh_noise(1)).log_weight
    assert np.allclose(weight, -0.5 * (SCORE + 5.0) ** 2)


def test_unknown_laws_and_parameters_name_the_nearest():
    with pytest.raises(UserError, match="did you mean 'simans'"):
        make_law("siman", {})
    with pytest.raises(UserError, match="no parameter 'c'"):
        make_law("simans", {"c": 1})
    with pytest.raises(UserError, match="parameter 'a'"):
        make_law("simans", {"a": -1.0})


def test_best_takes_the_heaviest_and_breaks_ties_by_document():
    candidates = make_candidates([[1.0, 3.0, 3.0, 2.0]], [0.0])
    draws = Sampler(make_law("score", {}), make_draw("best"), 3)(candidates, fresh_noise(1))
    assert draws.document[0].tolist() == [1, 2, 3]


def test_effective_number_of_equal_weights_is_their_count():
    assert effective_number(np.array([[0.0, 0.0, -np.inf, 0.0]]))[0] == pytest.approx(3)


def test_effective_candidates_count_what_rows_are_filled_with():
    """Half of four negatives are filled, from three candidates: two have 1/4 each, three 1/6."""
    fill = np.array([[0.0, 0.0, 0.0, 0.0, 0.0, -np.inf]])
    weights = Weights(np.array([[0.0, 0.0, -np.inf, -np.inf, -np.inf, -np.inf]]), (fill,))
    draws = make_draw("without-replacement")(make_candidates(SCORE, [POSITIVE]), weights, fresh_noise(1), 4)
    assert draws.filled.tolist() == [2]
    chance = np.exp(chances(weights, draws))[0]
    np.testing.assert_allclose(chance, [1 / 4, 1 / 4, 1 / 6, 1 / 6, 1 / 6, 0])
    expected = np.exp(-sum(p * np.log(p) for p in (1 / 4, 1 / 4, 1 / 6, 1 / 6, 1 / 6)))
    assert effective_number(chances(weights, draws))[0] == pytest.approx(expected)


def test_a_row_that_needs_no_filling_keeps_the_chances_of_its_law():
    candidates = repeated(make_candidates(SCORE, [POSITIVE], SIMILARITY), 3)
    sampler = Sampler(make_law("simans", {}), make_draw("without-replacement"), 4)
    weights = sampler.law.weigh(candidates, fresh_noise(3))
    assert np.array_equal(chances(weights, sampler(candidates, fresh_noise(3))), weights.log_weight)


def test_chances_of_filled_rows_are_those_of_the_first_of_many_draws():
    """Over many rows, a document's share of the negatives is its chance where weights are equal."""
    rows, law = 4000, np.array([0.0, -np.inf, -np.inf, -np.inf, -np.inf, -np.inf])
    first = np.array([-np.inf, 0.0, -np.inf, -np.inf, -np.inf, -np.inf])
    weights = Weights(np.tile(law, (rows, 1)), (np.tile(first, (rows, 1)), np.zeros((rows, 6))))
    candidates = repeated(make_candidates(SCORE, [POSITIVE]), rows)
    draws = make_draw("without-replacement")(candidates, weights, fresh_noise(rows), 4)
    share = np.bincount(draws.column.reshape(-1), minlength=6) / (4 * rows)
    np.testing.assert_allclose(np.exp(chances(weights, draws)).mean(axis=0), share, atol=0.01)


def test_the_share_of_negatives_filled_is_not_that_of_rows():
    """One of two positive weights: of four negatives three are filled, in every row."""
    similarity = np.where(np.arange(6) == 0, SCORE + 1.0, SCORE - 1.0)
    candidates = repeated(make_candidates(SCORE, [POSITIVE], similarity), 50)
    sampler = Sampler(make_law("trisampler", {"transitional": 1.0}), make_draw("without-replacement"), 4)
    seen = diagnose(sampler, candidates, fresh_noise(50))
    assert seen["fallback_rows_share"] == 1.0
    assert seen["filled_share"] == pytest.approx(3 / 4)


def test_equation_6_compares_cosines_or_products_whatever_the_gap():
    candidates = dataclasses.replace(
        make_candidates(SCORE, [POSITIVE], SIMILARITY), document_norm=np.array([[3.0, 4, 5, 6, 7, 8]])
    )
    weight = {
        (gap, sides): make_law("trisampler", {"gap": gap, "sides": sides, "transitional": 1.0})
        .weigh(candidates, fresh_noise(1))
        .log_weight
        for gap in ("raw", "cosine")
        for sides in ("as-gap", "raw", "cosine")
    }
    assert np.array_equal(weight["raw", "as-gap"], weight["raw", "raw"])
    assert np.array_equal(weight["cosine", "as-gap"], weight["cosine", "cosine"])
    assert not np.array_equal(weight["raw", "raw"], weight["raw", "cosine"])
    ahead = np.maximum(candidates.document_cosine() - candidates.query_cosine(), 0)
    np.testing.assert_allclose(np.exp(weight["raw", "cosine"]), ahead, atol=1e-12)


def test_largest_returns_columns_in_order():
    assert largest(np.array([[0.1, 0.9, -np.inf, 0.5]]), 3).tolist() == [[1, 3, 0]]
