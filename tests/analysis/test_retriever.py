from __future__ import annotations

import numpy as np
import pytest

from harness.errors import UserError


def test_candidates_of_any_split_are_the_best_that_are_not_labelled(retriever) -> None:
    candidates = retriever.candidates("dev", k=10)
    scores = retriever.queries("dev") @ retriever.documents.T
    pairs = retriever.pairs("dev")
    for row in (0, 7, len(pairs.pairs) - 1):
        allowed = scores[pairs.pairs[row, 0]].copy()
        allowed[pairs.labelled[row]] = -np.inf
        np.testing.assert_allclose(np.sort(allowed)[::-1][:10], candidates.score[row], rtol=1e-5)
        assert candidates.positive_score[row] == pytest.approx(scores[tuple(pairs.pairs[row])], rel=1e-5)


def test_only_the_queries_that_are_asked_for(retriever) -> None:
    assert set(retriever.candidates("train", k=3, queries=[4, 9]).query) == {4, 9}


def test_a_rank_beyond_the_documents_is_one_clear_message(retriever) -> None:
    count = len(retriever.collection.documents)
    with pytest.raises(UserError, match=rf"rank {count} is asked for, and only {count - 6} documents"):
        retriever.candidates("dev", k=count)


def test_an_unknown_split_names_the_nearest(retriever) -> None:
    with pytest.raises(UserError, match=r"no queries 'tset'.*test"):
        retriever.candidates("tset", k=3)
    with pytest.raises(UserError, match=r"no queries 'tset'.*test"):
        retriever.pairs("tset")
