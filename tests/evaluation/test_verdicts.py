"""Verdicts: each rule by a case of its own, all cases together, and the prose on the page."""

from __future__ import annotations

from itertools import combinations_with_replacement, product
from pathlib import Path
from typing import Any

import pytest

from harness.evaluation.verdicts import (
    LARGER,
    ROW_RULES,
    SMALLER,
    TABLE_RULES,
    RowEvidence,
    TableEvidence,
    judge,
    judge_row,
    judge_table,
    rules_text,
)

UP, ZERO, DOWN = (0.008, 0.010), (-0.001, 0.001), (-0.010, -0.008)


def evidence(**changes: Any) -> RowEvidence:
    """By default: published +0.9, reproduced +0.9 with a narrow interval."""
    usual = {
        "pipeline": False,
        "published": UP,
        "value": 0.009,
        "method": (0.005, 0.013),
        "significant": True,
        "detectable": 0.006,
    }
    return RowEvidence(**usual | changes)


ROWS = [
    ("pipeline check", {"pipeline": True}),
    ("not judged", {"published": None}),
    ("not judged", {"value": None, "method": None, "significant": False, "detectable": None}),
    ("inconclusive", {"method": None}),
    ("reproduced", {"published": ZERO, "value": 0.0, "method": (-0.001, 0.0005), "significant": False}),
    ("not", {"published": ZERO}),
    ("inconclusive", {"published": ZERO, "value": 0.0, "method": (-0.002, 0.002), "significant": False}),
    ("reproduced", {}),
    ("smaller than published", {"value": 0.004, "method": (0.002, 0.006)}),
    ("larger than published", {"value": 0.05, "method": (0.04, 0.06)}),
    ("not", {"value": -0.009, "method": (-0.013, -0.005)}),
    ("inconclusive", {"value": 0.001, "method": (-0.011, 0.013), "significant": False, "detectable": 0.02}),
    ("inconclusive", {"value": 0.004, "method": (-0.001, 0.009), "significant": False}),
    ("not", {"value": 0.001, "method": (-0.003, 0.005), "significant": False}),
]


@pytest.mark.parametrize(("place", "word", "changes"), [(i, *case) for i, case in enumerate(ROWS)])
def test_each_rule_of_a_row_has_a_case_that_it_decides(place: int, word: str, changes: dict) -> None:
    assert judge_row(evidence(**changes)) == {"word": word, "reason": ROW_RULES[place].because}


def test_every_rule_of_a_row_has_its_case() -> None:
    assert len(ROWS) == len(ROW_RULES)


@pytest.mark.parametrize(
    ("word", "changes"),
    [
        ("reproduced", {"published": DOWN, "value": -0.009, "method": (-0.013, -0.005)}),
        ("smaller than published", {"published": DOWN, "value": -0.004, "method": (-0.006, -0.002)}),
        ("larger than published", {"published": DOWN, "value": -0.05, "method": (-0.06, -0.04)}),
        ("smaller than published", {"value": 0.004, "method": (0.001, 0.007), "significant": False}),
        ("reproduced", {"value": 0.005, "method": (0.002, 0.008)}),  # its end is the smallest published
        ("not", {"value": 0.003, "method": (0.0, 0.006), "significant": False}),  # 0 is not excluded
        ("not", {"value": -0.004, "method": (-0.006, -0.002)}),  # smaller in size, in the other direction
        ("not", {"published": DOWN}),
        ("reproduced", {"method": (0.010, 0.02), "value": 0.015}),  # it ends where the rounding ends
        ("inconclusive", {"published": ZERO, "value": 0.002, "method": (0.0005, 0.003)}),
        ("inconclusive", {"published": ZERO, "value": 0.004, "method": (0.002, 0.006), "significant": False}),
        (
            "inconclusive",
            {"value": 0.0, "method": (-0.003, 0.003), "significant": False, "detectable": 0.009},
        ),
        ("not", {"value": -0.002, "method": (-0.006, 0.002), "significant": False}),
        ("inconclusive", {"published": (0.0, 0.002), "value": 0.001, "method": (-0.003, 0.005)}),
        ("inconclusive", {"method": None, "value": -0.5, "published": ZERO}),
    ],
)
def test_further_cases(word: str, changes: dict) -> None:
    assert judge_row(evidence(**changes))["word"] == word


def test_every_evidence_has_a_verdict_and_the_strong_ones_ask_for_much() -> None:
    """All combinations of what can be: published, reproduced, interval, finding, power."""
    ends = [-0.02, -0.009, -0.0005, 0.0005, 0.009, 0.02]
    intervals = [None, *combinations_with_replacement(ends, 2)]
    values = [None, -0.015, -0.009, 0.0, 0.009, 0.015]
    many = product((True, False), (UP, ZERO, DOWN, None), values, intervals, (True, False), (None, 0.0, 1.0))
    words = set()
    for pipeline, published, value, method, significant, detectable in many:
        row = RowEvidence(pipeline, published, value, method, significant, detectable)
        verdict = judge_row(row)
        words.add((verdict["word"], verdict["reason"]))
        word = verdict["word"]
        assert (word == "pipeline check") == pipeline
        if word in ("reproduced", SMALLER, LARGER, "not"):
            assert published and value is not None and method
        if word == "reproduced":
            assert row.meets
        if word == "not":
            assert significant or not row.meets
        if word in (SMALLER, LARGER):
            assert method and published and not row.meets and not method[0] <= 0 <= method[1]
            assert row.sign == (1 if method[0] > 0 else -1)
            assert (abs(sum(method)) < abs(sum(published))) == (word == SMALLER)
    assert words == {(rule.word, rule.because) for rule in ROW_RULES}


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (1, ()),
        (1, ("not judged", "not judged")),
        (2, ("reproduced", "reproduced")),
        (3, ("reproduced", "not judged")),
        (3, ("reproduced", "not")),
        (3, ("smaller than published",)),
        (3, ("inconclusive", "larger than published", "not")),
        (4, ("not", "not")),
        (4, ("not", "inconclusive", "not judged")),
        (5, ("inconclusive",)),
        (5, ("inconclusive", "not judged")),
    ],
)
def test_a_table_follows_from_its_rows(place: int, words: tuple[str, ...]) -> None:
    verdict = judge_table(TableEvidence(False, words))
    assert verdict["word"] == TABLE_RULES[place].word
    assert verdict["reason"].startswith(TABLE_RULES[place].because)
    assert all(word in verdict["reason"] for word in words)
    assert judge_table(TableEvidence(True, words)) == {
        "word": "pipeline check",
        "reason": TABLE_RULES[0].because,
    }


def block(value: float | None, half: float, p_value: float | None, **changes: Any) -> dict[str, Any]:
    interval = None if value is None else {"low": value - half, "high": value + half}
    published = {"value": 0.009, "low": 0.008, "high": 0.010}
    usual = {"value": value, "method": interval, "published": published, "holm_p": p_value}
    return usual | {"checkpoints": interval, "detectable": 1.4 * half} | changes


BLOCKS = {
    "significant": block(0.01, 0.004, 0.001),
    "weak": block(0.01, 0.02, 0.4),
    "failed": block(None, 0.0, None, detectable=None),
    "ours": block(0.01, 0.004, 0.001, published=None),
    "nothing": None,
}


def test_blocks_of_cells_are_judged_and_holm_decides() -> None:
    rows, table = judge(BLOCKS, level=0.95, scale="full", stand_in=None)
    words = {name: verdict["word"] for name, verdict in rows.items()}
    assert words == {
        "significant": "reproduced",
        "weak": "inconclusive",
        "failed": "not judged",
        "ours": "not judged",
        "nothing": "not judged",
    }
    assert table["word"] == "partly"
    assert table["reason"].endswith("(1 inconclusive, 1 not judged, 1 reproduced)")
    strict, _ = judge(BLOCKS, level=0.9995, scale="full", stand_in=None)
    assert strict["significant"]["word"] == "inconclusive"  # p = 0.001 does not pass


@pytest.mark.parametrize(
    ("scale", "stand_in"), [("simulation", None), ("scratch", None), ("full", "pydocs stands in")]
)
def test_a_small_scale_or_a_stand_in_is_always_a_pipeline_check(scale: str, stand_in: str | None) -> None:
    rows, table = judge(BLOCKS, level=0.95, scale=scale, stand_in=stand_in)
    assert {verdict["word"] for verdict in [*rows.values(), table]} == {"pipeline check"}


def test_the_page_shows_the_rules() -> None:
    page = (Path(__file__).parents[2] / "docs/statistics.md").read_text(encoding="utf-8")
    begin, end = (f"<!-- rules of the verdicts: {word} -->\n" for word in ("begin", "end"))
    assert page.partition(begin)[2].partition(end)[0].strip() == rules_text()
