from __future__ import annotations

import numpy as np
import pytest

from harness.negatives.candidates import Candidates
from harness.negatives.noise import Noise


def make_candidates(
    score, positive_score=None, similarity=None, valid=None, query=None, retrieved=None, origin=None
) -> Candidates:
    """Candidates from plain lists; scores [R, K]."""
    score = np.atleast_2d(np.asarray(score, dtype=np.float64))
    rows, k = score.shape
    if positive_score is None:
        positive_score = np.zeros(rows)
    return Candidates(
        query=np.arange(rows) if query is None else np.asarray(query),
        positive=np.full(rows, 10_000),
        document=np.tile(np.arange(k), (rows, 1)),
        score=score,
        positive_score=np.asarray(positive_score, dtype=np.float64),
        positive_retrieved=np.ones(rows, bool) if retrieved is None else np.asarray(retrieved),
        positive_similarity=score + 1.0
        if similarity is None
        else np.atleast_2d(np.asarray(similarity, float)),
        valid=np.ones(score.shape, bool) if valid is None else np.atleast_2d(np.asarray(valid)),
        origin=np.zeros(score.shape, np.int8) if origin is None else np.atleast_2d(np.asarray(origin)),
        query_norm=np.full(rows, 3.0),
        positive_norm=np.full(rows, 3.0),
        document_norm=np.full(score.shape, 3.0),
        model="test",
    )


def repeated(candidates: Candidates, times: int) -> Candidates:
    """The first row, `times` times, as different queries, so that each has noise of its own."""
    rows = np.zeros(times, dtype=np.int64)
    many = candidates.rows(rows)
    return Candidates(**{**many.__dict__, "query": np.arange(times)})


def fresh_noise(rows: int, seed: int = 7) -> Noise:
    return Noise(seed=seed, round=0, visit=np.zeros(rows, dtype=np.int64))


@pytest.fixture
def build():
    return make_candidates
