"""Two sides query by query, on scores and rankings by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.compare.differences import by_query, furthest, outcome, query_lines
from harness.compare.pairs import SeedScores, pair_up, score_tables
from harness.compare.positives import documents_before, joint_ranks, positive_ranks, rank_bins
from harness.errors import UserError
from harness.evaluation.comparison import difference_block

RELEVANT = {"q1": ["d1"], "q2": ["d2", "d3"]}


def side(values: dict[str, float], **ranking: str) -> SeedScores:
    """What was measured: query -> score, query -> documents in order."""
    scores = pd.DataFrame({"query": values.keys(), "value": values.values()}).assign(measure="RR")
    ordered = {q: {d: -float(place) for place, d in enumerate(ds.split())} for q, ds in ranking.items()}
    return SeedScores(scores, ordered)


A = side({"q1": 1.0, "q2": 0.5}, q1="d1 d9 d8", q2="d9 d2 d3")
B = side({"q1": 0.5, "q2": 0.5}, q1="d9 d1 d7", q2="d8 d3 d9")


def test_rows_are_paired_by_the_seeds_that_both_have():
    pairs = pair_up({0: A, 1: A, 2: A}, {2: B, 1: B, 5: B}, by_seed=True)
    assert [pair.seed for pair in pairs] == [1, 2]
    one, other = score_tables(pairs, "RR", by_seed=True)
    assert one.shape == other.shape == (2, 2)
    assert difference_block((one - other).to_numpy(), 0.95)["method"] is not None


def test_rows_without_a_common_seed_are_refused():
    with pytest.raises(UserError, match="no finished seed in common"):
        pair_up({0: A}, {1: B}, by_seed=True)


def test_a_run_is_held_against_every_seed_and_tells_nothing_of_the_method():
    pairs = pair_up({0: A, 1: B}, {0: B}, by_seed=False)
    assert [(pair.seed, pair.a is B, pair.b is B) for pair in pairs] == [(0, False, True), (1, True, True)]
    one, other = score_tables(pairs, "RR", by_seed=False)
    assert one["q1"].tolist() == [0.75] and other["q1"].tolist() == [0.5]
    assert difference_block((one - other).to_numpy(), 0.95)["method"] is None


def test_wins_ties_and_losses_with_their_sign_test():
    result = outcome(pd.Series([0.1, 0.2, 0.3, 0.0, 1e-12]))
    assert (result.wins, result.ties, result.losses, result.queries) == (3, 2, 0, 5)
    assert result.p_value == pytest.approx(2 * 0.5**3)
    assert outcome(pd.Series([0.0, 0.0])).p_value == 1.0


def test_a_line_for_each_query_and_seed():
    pairs = pair_up({0: A, 1: B}, {0: B, 1: B}, by_seed=True)
    lines = query_lines(pairs, "RR", positive_ranks(pairs, RELEVANT, 3))
    first = lines[lines["seed"] == 0].set_index("query")
    assert first.loc["q1", ["a", "b", "difference", "rank_a", "rank_b"]].tolist() == [1.0, 0.5, 0.5, 1, 2]
    assert first.loc["q1", "overlap"] == pytest.approx(2 / 3)
    assert first.loc["q2", ["rank_a", "rank_b"]].tolist() == [2, 2]
    assert lines["query"].tolist() == ["q1", "q1", "q2", "q2"]
    assert by_query(lines).loc["q1", "difference"] == pytest.approx(0.25)


def test_the_furthest_are_sorted_and_equal_ones_go_by_id():
    values = {"q1": 0.2, "q2": 0.5, "q3": 0.2, "q4": 0.0, "q5": -0.1}
    means = pd.DataFrame({"difference": values}).rename_axis("query")
    assert furthest(means, 2) == (["q2", "q1"], ["q5"])
    assert furthest(means, 9) == (["q2", "q1", "q3"], ["q5"])


def test_positives_beyond_the_depth_are_not_retrieved():
    pairs = pair_up({0: A}, {0: B}, by_seed=True)
    ranks = positive_ranks(pairs, RELEVANT, 2).set_index("document")
    assert ranks["rank_a"].dropna().to_dict() == {"d1": 1, "d2": 2}
    assert ranks["rank_b"].dropna().to_dict() == {"d1": 2, "d3": 2}


def test_where_each_side_ranks_the_others_positives():
    ranks = pd.DataFrame({"rank_a": [1, 3, None, 40, 7], "rank_b": [1, 1, 2, None, None]}).astype("Int64")
    counts = joint_ranks(ranks, 40)
    assert list(counts.index) == list(counts.columns) == ["1", "2–5", "6–10", "11–40", "not in 40"]
    assert counts.to_numpy().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 0, 0, 0, 0],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1],
        [0, 1, 0, 0, 0],
    ]


@pytest.mark.parametrize(
    ("depth", "names"),
    [
        (1000, ["1", "2–5", "6–10", "11–50", "51–100", "101–1000"]),
        (10, ["1", "2–5", "6–10"]),
        (6, ["1", "2–5", "6"]),
    ],
)
def test_bins_end_with_the_rankings(depth, names):
    assert [name for name, _ in rank_bins(depth)] == names


def test_documents_before_the_first_relevant_one():
    rankings = [side({}, q="d5 d6 d1 d7").ranking, side({}, q="d6 d1").ranking]
    assert documents_before(rankings, "q", ["d1"]) == ["d6", "d5"]
    assert documents_before([side({}, q="d1 d5").ranking], "q", ["d1"]) == []
    assert documents_before([side({}, q="d5 d6").ranking], "q", ["d1"]) == ["d5", "d6"]
