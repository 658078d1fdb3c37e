"""Where the paper of SimANS and its released code part, shown on the law and on the draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.negatives.presets import presets
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler

from .conftest import fresh_noise, make_candidates, repeated

SCORE = np.linspace(-6, 3, 19)
POSITIVE = 0.5
ROWS, K, N = 400, 200, 15


def log_weight(candidates=None, **parameters):
    candidates = make_candidates(SCORE, [POSITIVE]) if candidates is None else candidates
    return make_law("simans", parameters).weigh(candidates, fresh_noise(1)).log_weight[0]


def test_the_sign_of_b_moves_the_peak_to_the_other_side():
    paper = SCORE[np.argmax(log_weight(b=1.0))]
    code = SCORE[np.argmax(log_weight(b=1.0, b_enters="added"))]
    assert (paper, code) == (POSITIVE + 1.0, POSITIVE - 1.0)
    np.testing.assert_array_equal(log_weight(b=0.0), log_weight(b=0.0, b_enters="added"))
    np.testing.assert_array_equal(log_weight(b=-1.0), log_weight(b=1.0, b_enters="added"))


def test_ms_pas_code_has_a_laplace_bell_without_b():
    np.testing.assert_allclose(
        log_weight(**{k: v for k, v in presets()["simans-released-ms-pas"].law.items() if k != "name"}),
        -3 * np.abs(SCORE - POSITIVE),
    )


@pytest.mark.parametrize("missed", ["uniform", "last"])
def test_readings_agree_where_the_positive_was_retrieved(missed):
    np.testing.assert_array_equal(log_weight(missed=missed), log_weight())


def test_a_missed_positive_is_scored_by_the_paper_and_leaves_the_law_in_the_code():
    missed = make_candidates(SCORE, [POSITIVE], retrieved=[False])
    np.testing.assert_array_equal(log_weight(missed), log_weight())
    assert (log_weight(missed, missed="uniform") == 0).all()
    sampler = Sampler(make_law("simans", {"missed": "last"}), make_draw("without-replacement"), 5)
    drawn = sampler(repeated(missed, 200), fresh_noise(200)).column
    assert (np.sort(drawn, axis=1) == np.arange(5)).all()  # the five of least score, whatever the noise


def released(truncation: str = "set-order"):
    """Draws of the released union and of ours from the same weights; document numbers are random."""
    rng = np.random.default_rng(3)
    score = rng.normal(size=K)
    row = make_candidates(np.tile(score, (ROWS, 1)), np.zeros(ROWS))
    documents = np.stack([rng.choice(8_000_000, K, replace=False) for _ in range(ROWS)])
    candidates = replace(row, document=documents, query=np.arange(ROWS))
    law, noise = make_law("simans"), fresh_noise(ROWS)
    rows = [
        Sampler(law, make_draw(draw), N)(candidates, noise).document
        for draw in ({"name": "released-union", "truncation": truncation}, "without-replacement")
    ]
    return documents, score, *rows


def kept_by_octile(documents, drawn):
    """Share of candidates drawn, by the place that a set of integers gives a document: [8]."""
    octile = (documents & 63) // 8
    was = np.array([np.isin(row, some) for row, some in zip(documents, drawn, strict=True)])
    return np.array([was[octile == place].mean() for place in range(8)])


def test_the_released_cut_prefers_documents_by_their_number():
    documents, _, cut, ours = released()
    biased, fair = kept_by_octile(documents, cut), kept_by_octile(documents, ours)
    assert biased[0] > 1.4 * biased[7]
    assert stats.linregress(np.arange(8), biased).rvalue < -0.9
    expected = N / K
    error = np.sqrt(expected * (1 - expected) / (ROWS * K / 8))
    assert np.abs(fair - expected).max() < 4 * error


def test_the_shuffled_cut_has_no_such_preference():
    documents, _, cut, _ = released("shuffled")
    error = np.sqrt(N / K * (1 - N / K) / (ROWS * K / 8))
    assert np.abs(kept_by_octile(documents, cut) - N / K).max() < 4 * error


def test_the_released_union_is_cut_from_more_than_n():
    """What is left in the union beyond n is what makes room for a bias."""
    documents, _, cut, _ = released()
    assert all(len(set(row)) == N for row in cut.tolist())
    assert np.isin(cut, documents).all()
