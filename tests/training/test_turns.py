"""Who takes which step, against the counts that the released scripts are known to make."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.training.turns import TURNS, RankerFirst, ReleasedMarco, ReleasedWiki, steps_before, who_at


def counted(turns, steps, round_steps):
    return Counter(who_at(turns, step, round_steps) for step in range(steps))


@pytest.mark.parametrize(
    ("turns", "steps", "round_steps", "retriever", "ranker"),
    [
        (ReleasedWiki(), 30_000, 2_000, 22_485, 7_515),  # NQ
        (ReleasedWiki(), 10_000, 2_000, 7_495, 2_505),  # TQA
        (ReleasedMarco(), 60_000, 5_000, 54_500, 5_500),  # MS-Pas
        (ReleasedMarco(share=0.2), 40_000, 5_000, 33_000, 7_000),  # MS-Doc
        (RankerFirst(), 20_000, 2_000, 15_000, 5_000),  # AR2, Table 8
    ],
)
def test_steps_are_those_of_the_scripts(turns, steps, round_steps, retriever, ranker):
    assert counted(turns, steps, round_steps) == {"retriever": retriever, "ranker": ranker}


@pytest.mark.parametrize(
    ("turns", "steps", "round_steps", "retriever", "ranker"),
    [
        (ReleasedWiki(), 30_000, 2_000, 22_500, 7_500),
        (ReleasedMarco(), 60_000, 5_000, 54_000, 6_000),
        (ReleasedMarco(share=0.2), 40_000, 5_000, 32_000, 8_000),
        (RankerFirst(), 20_000, 2_000, 15_000, 5_000),
    ],
)
def test_schedules_are_those_of_the_scripts(turns, steps, round_steps, retriever, ranker):
    assert turns.scheduled("retriever", steps, round_steps) == retriever
    assert turns.scheduled("ranker", steps, round_steps) == ranker


@pytest.mark.parametrize("name", TURNS)
@pytest.mark.parametrize(("steps", "round_steps"), [(80, 40), (25, 10), (7, 3), (4, 2)])
def test_own_steps_are_counted_without_a_gap(name, steps, round_steps):
    turns = TURNS[name]()
    seen = Counter()
    for step in range(steps):
        for who in ("retriever", "ranker"):
            assert steps_before(turns, who, step, round_steps) == seen[who]
        seen[who_at(turns, step, round_steps)] += 1


def test_orders_within_a_round():
    def order(turns):
        return "".join(who_at(turns, step, 4)[1] for step in range(8))  # e for retriever, a for ranker

    assert order(TURNS["ranker-first"](share=0.5)) == "aaeeaaee"
    assert order(TURNS["released-wiki"](share=0.25)) == "aaeeaaee"
    assert order(TURNS["released-marco"](share=0.25)) == "eeeeeeea"
    assert order(TURNS["retriever-alone"]()) == "eeeeeeee"
    assert order(TURNS["ranker-alone"]()) == "aaaaaaaa"
