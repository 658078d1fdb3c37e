"""What every sampler keeps, whatever its law and draw: a class of tests that each of them passes.

A test class derives from `SamplerContract` and gives the fixture `sampler`.
"""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.negatives.candidates import Candidates
from harness.negatives.noise import Noise
from harness.negatives.sampler import Sampler

from .conftest import fresh_noise, make_candidates, repeated

ROWS, K, N = 40, 30, 6
BY_COLUMN = {"document", "score", "positive_similarity", "valid", "origin", "document_norm"}
RANDOM = "random"


class SamplerContract:
    """Tests over the fixture `sampler`, which takes N of K candidates."""

    def test_draws_are_the_same_again(self, sampler: Sampler) -> None:
        assert np.array_equal(drawn(sampler, some()), drawn(sampler, some()))

    @pytest.mark.parametrize("parts", [1, 3, 40])
    def test_batches_ranks_and_workers_change_nothing(self, sampler: Sampler, parts: int) -> None:
        candidates = some()
        whole = drawn(sampler, candidates)
        order = np.random.default_rng(0).permutation(ROWS)
        split = np.array_split(order, parts)
        with ThreadPoolExecutor(4) as workers:
            parts = list(workers.map(lambda rows: drawn(sampler, candidates.rows(rows)), split))
        assert np.array_equal(whole[order], np.concatenate(parts))

    def test_order_of_candidates_changes_nothing(self, sampler: Sampler) -> None:
        candidates = some()
        shuffle = np.random.default_rng(1).permutation(K)
        columns = {name: getattr(candidates, name)[:, shuffle] for name in BY_COLUMN}
        assert np.array_equal(drawn(sampler, candidates), drawn(sampler, replace(candidates, **columns)))

    def test_similarities_are_read_by_laws_that_say_so(self, sampler: Sampler) -> None:
        """A mined round leaves those out that its law does not say it reads."""
        if "documents" in sampler.law.needs:
            pytest.skip("it says so")
        without = replace(some(), positive_similarity=np.full((ROWS, K), np.nan))
        assert np.array_equal(drawn(sampler, some()), drawn(sampler, without))

    def test_nothing_masked_is_drawn(self, sampler: Sampler) -> None:
        valid = np.random.default_rng(2).random((ROWS, K)) < 0.5
        valid[:, :N] = True
        drawn_rows = draws(sampler, some(valid=valid))
        assert np.take_along_axis(valid, drawn_rows.column, axis=1).all()

    def test_negatives_are_distinct(self, sampler: Sampler) -> None:
        documents = drawn(sampler, some())
        distinct = np.array([len(set(row)) for row in documents.tolist()])
        if sampler.draw.name == "with-replacement":
            assert (distinct >= 1).all()
        else:
            assert (distinct == N).all()

    def test_too_few_candidates_are_all_taken(self, sampler: Sampler) -> None:
        valid = np.zeros((ROWS, K), bool)
        valid[:, [3, 8, 20]] = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            documents = drawn(sampler, some(valid=valid))
        assert documents.shape == (ROWS, N)
        taken = [set(row) for row in documents.tolist()]
        assert all(row <= {3, 8, 20} for row in taken)
        if sampler.draw.name != "with-replacement":
            assert all(row == {3, 8, 20} for row in taken)

    @pytest.mark.parametrize("scale", [1e2, 1e4])
    def test_large_gaps_are_defined(self, sampler: Sampler, scale: float) -> None:
        candidates = some()
        huge = replace(
            candidates,
            score=candidates.score * scale,
            positive_score=candidates.positive_score * scale,
            positive_similarity=candidates.positive_similarity * scale,
        )
        documents = drawn(sampler, huge)
        assert documents.shape == (ROWS, N)
        assert ((documents >= 0) & (documents < K)).all()

    def test_a_shift_of_all_scores_changes_nothing(self, sampler: Sampler) -> None:
        if not sampler.law.shift_free:
            pytest.skip("the law knows where 0 is")
        candidates = some()
        shifted = replace(
            candidates,
            score=candidates.score + 64,
            positive_score=candidates.positive_score + 64,
            positive_similarity=candidates.positive_similarity + 64,
        )
        assert np.array_equal(drawn(sampler, candidates), drawn(sampler, shifted))

    def test_another_visit_round_or_seed_draws_anew(self, sampler: Sampler) -> None:
        if sampler.draw.name == "best":
            pytest.skip("nothing is left to chance")
        candidates, zeros = some(), np.zeros(ROWS, dtype=np.int64)
        whole = sampler(candidates, Noise(7, 0, zeros)).document
        for other in (Noise(7, 0, zeros + 1), Noise(7, 1, zeros), Noise(8, 0, zeros)):
            assert not np.array_equal(sampler(candidates, other).document, whole)

    def test_first_draws_follow_the_weights(self, sampler: Sampler) -> None:
        """The first of n is drawn in proportion to what the law says, filling included."""
        if sampler.draw.name not in {"without-replacement", "with-replacement"}:
            pytest.skip("the draw does not follow the weights")
        times = 20_000
        row = some().rows(np.array([4]))
        expected = first_weights(sampler, row, times)
        column = draws(replace(sampler, negatives=1), repeated(row, times)).column[:, 0]
        count = np.bincount(column, minlength=K)
        assert count[expected == 0].sum() == 0
        likely = expected * times > 5
        rest = [count[~likely].sum()], [times * expected[~likely].sum()]
        observed = np.append(count[likely], rest[0] if rest[1][0] > 5 else [])
        expected_counts = np.append(times * expected[likely], rest[1] if rest[1][0] > 5 else [])
        if len(observed) > 1:  # one candidate alone is certain
            scaled = expected_counts * observed.sum() / expected_counts.sum()
            assert stats.chisquare(observed, scaled).pvalue > 1e-4


def first_weights(sampler: Sampler, row: Candidates, times: int) -> np.ndarray:
    """Chance of each candidate to be the first drawn, [K]: the mean over noise of the law's own weights."""
    many = repeated(row, times)
    weights = sampler.law.weigh(many, fresh_noise(times))
    log_weight = weights.log_weight
    for fill in weights.fills:
        log_weight = np.where(np.isfinite(log_weight).any(axis=1, keepdims=True), log_weight, fill)
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return (weight / weight.sum(axis=1, keepdims=True)).mean(axis=0)


def some(**changes: np.ndarray) -> Candidates:
    """ROWS rows of K candidates on a grid of 1/64, of two sources, so that shifts are exact."""
    rng = np.random.default_rng(5)
    grid = np.round(rng.normal(size=(3, ROWS, K)) * 64) / 64
    spread = np.arange(K) / 2048  # no ties
    return make_candidates(
        grid[0] + spread,
        positive_score=grid[2, :, 0],
        similarity=grid[1] + 0.5,
        origin=np.tile(np.arange(K) % 2, (ROWS, 1)),
        **changes,
    )


def draws(sampler: Sampler, candidates: Candidates):
    return sampler(candidates, fresh_noise(len(candidates.query)))


def drawn(sampler: Sampler, candidates: Candidates) -> np.ndarray:
    return draws(sampler, candidates).document
