"""SimANS's findings are recognised in curves that have them and curves that have not."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import UserError
from harness.gradients.findings import CRITERIA, FAILS, HOLDS, OPEN, findings
from harness.gradients.per_rank import measure
from harness.gradients.statistics import Gradients

RANKS = 200


def gradients(mean, spread, positive: float, queries: int = 400) -> Gradients:
    """Gradients in one direction, of normal lengths whose mean and spread depend on the rank alone."""
    rng = np.random.default_rng(0)
    norm = np.abs(mean + spread * rng.normal(size=(queries, RANKS)))
    group = np.arange(queries) % 16
    sums = np.stack([norm[group == g].sum(axis=0) for g in range(16)])
    product = np.einsum("gr,hr->rgh", sums, sums)
    return Gradients("drawn", norm, product, group, rng.exponential(positive - 1, queries) + 1, 0)


def answers(measured: Gradients) -> dict[str, dict[str, str]]:
    frame = findings(measured)
    assert list(frame["finding"]) == list(CRITERIA) * 2
    return {
        reading: {line["finding"].split(".")[0]: line["answer"] for _, line in lines.iterrows()}
        for reading, lines in frame.groupby("reading")
    }


rank = np.arange(1, RANKS + 1)
FALLING = 0.25 + 0.75 * np.exp(-rank / 40)
HIGH_FIRST = np.where(rank <= 10, 0.2, 0.1 - rank / 5000)


def test_curves_as_the_paper_draws_them_have_all_findings() -> None:
    answered = answers(gradients(FALLING, HIGH_FIRST, positive=13.0, queries=2000))
    assert set(answered["norms"].values()) == {HOLDS}, answered
    assert answered["vectors"]["1"] == answered["vectors"]["2"] == answered["vectors"]["3"] == HOLDS


@pytest.mark.parametrize(
    ("finding", "mean", "spread", "positive"),
    [
        ("1", FALLING[::-1], HIGH_FIRST, 13.0),
        ("1", FALLING, HIGH_FIRST[::-1], 13.0),
        ("2", 1 / rank**1.2 + 0.002, HIGH_FIRST / 100, 13.0),
        ("3", FALLING, np.where(rank <= 10, 0.05, 0.15), 13.0),
        ("4a", FALLING, HIGH_FIRST, 90.0),
        ("4b", FALLING[::-1], HIGH_FIRST, 13.0),
        ("4b", FALLING, np.full(RANKS, 0.1), 13.0),
    ],
)
def test_one_that_is_turned_round_does_not_hold(finding, mean, spread, positive) -> None:
    assert answers(gradients(mean, spread, positive))["norms"][finding] == FAILS


def test_flat_curves_of_few_queries_tell_nothing_of_the_first() -> None:
    flat = np.full(RANKS, 0.5)
    answered = answers(gradients(flat, flat / 5, positive=13.0, queries=40))["norms"]
    assert answered["1"] == answered["3"] == OPEN


def test_positives_beyond_the_ranks_have_no_negatives_near_them() -> None:
    answered = answers(gradients(FALLING, HIGH_FIRST, positive=900.0))["norms"]
    assert answered["4a"] == FAILS and answered["4b"] == OPEN


def test_a_line_names_the_ratio_that_decides_and_its_bound() -> None:
    frame = findings(gradients(FALLING, np.where(rank <= 10, 0.05, 0.15), 13.0))
    line = frame[(frame["reading"] == "norms") & frame["finding"].str.startswith("3")].iloc[0]
    assert line["compared"] == "variance, ranks 11-200 / 1-10" and line["bound"] == 1.0
    assert line["low"] < line["value"] < line["high"]
    assert line["value"] == pytest.approx(9.0, rel=0.15)


def test_too_few_ranks_are_one_clear_message(double) -> None:
    with pytest.raises(UserError, match="findings are about 20 ranks or more, got 3"):
        findings(measure(double("no layer, shared, idf"), ranks=3, wrt="score"))
