"""Which readings are compared, and how their differences are counted, on hand-made scores."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.errors import UserError
from harness.evaluation.readings import (
    agree,
    by_value,
    compare_readings,
    distinct_pairs,
    same_runs,
    summarise_readings,
)

COLUMN = {"label": "MRR@10", "dataset": "d", "measure": "RR", "split": "test"}
PATHS = ["law.share", "law.gap", "law.shape"]


def reading(row: str, **values: object) -> dict[str, object]:
    chosen = {f"law.{name}": value for name, value in values.items()}
    return {"row": row, "name": f"{row} {' '.join(map(str, values.values()))}".strip(), "reading": chosen}


READINGS = [
    reading("Tri", share=0.5, gap="raw"),
    reading("Tri", share=0.5, gap="std"),
    reading("Tri", share=1.0, gap="raw"),
    reading("Tri", share=1.0, gap="std"),
    reading("Uniform"),
    reading("Sim", gap="raw", shape="bell"),
    reading("Sim", gap="raw", shape="tent"),
    reading("Sim", gap="std", shape="bell"),
]
MEANS = dict(
    zip((reading["name"] for reading in READINGS), (0.5, 0.6, 0.3, 0.7, 0.5, 0.4, 0.45, 0.9), strict=True)
)


def scores(seeds: int = 2, spread: float = 0.01) -> pd.DataFrame:
    """Four queries around each reading's mean; seeds move all readings alike, so that pairs take it out."""
    lines = [
        (name, seed, "d", "test", "RR", f"q{q}", mean + 0.05 * seed + spread * offset)
        for place, (name, mean) in enumerate(MEANS.items())
        for seed in range(seeds)
        for q, offset in enumerate([-1, 1, -1, 1] if place < 4 else [1, 1, -1, -1])
    ]
    return pd.DataFrame(lines, columns=["row", "seed", "dataset", "split", "measure", "query", "value"])


def compared(**options: float) -> list[dict]:
    return compare_readings(scores(**options), COLUMN, READINGS, focus="Tri", level=0.95)


def test_readings_agree_on_the_paths_that_both_have() -> None:
    assert agree({"a": 1, "b": 2}, {"b": 2, "c": 3})
    assert not agree({"a": 1, "b": 2}, {"b": 3})
    assert agree({"a": 1}, {})
    assert agree({}, {"a": 1})


def test_every_reading_of_the_focus_meets_those_of_the_others_that_agree() -> None:
    pairs = [(pair["reading"], pair["other"]) for pair in compared()]
    assert pairs == [
        ("Tri 0.5 raw", "Uniform"), ("Tri 0.5 raw", "Sim raw bell"), ("Tri 0.5 raw", "Sim raw tent"),
        ("Tri 0.5 std", "Uniform"), ("Tri 0.5 std", "Sim std bell"),
        ("Tri 1.0 raw", "Uniform"), ("Tri 1.0 raw", "Sim raw bell"), ("Tri 1.0 raw", "Sim raw tent"),
        ("Tri 1.0 std", "Uniform"), ("Tri 1.0 std", "Sim std bell"),
    ]  # fmt: skip


def test_differences_are_the_focus_minus_the_other_paired_by_seed() -> None:
    for pair in compared():
        assert pair["value"] == pytest.approx(MEANS[pair["reading"]] - MEANS[pair["other"]])
        assert pair["checkpoints"]["low"] <= pair["value"] <= pair["checkpoints"]["high"]
        assert pair["method"] is not None
    assert all(pair["method"] is None for pair in compared(seeds=1))
    few = scores()
    few = few[(few["row"] != "Uniform") | (few["seed"] == 1)]
    pairs = compare_readings(few, COLUMN, READINGS, focus="Tri", level=0.95)
    assert pairs[0]["value"] == pytest.approx(0.0) and pairs[0]["method"] is None


def test_readings_on_other_queries_are_refused() -> None:
    lost = scores()
    lost = lost[(lost["row"] != "Uniform") | (lost["query"] != "q2")]
    with pytest.raises(UserError, match=r"'Tri 0\.5 raw' and 'Uniform' are scored on different queries"):
        compare_readings(lost, COLUMN, READINGS, focus="Tri", level=0.95)


def test_shares_are_counts_with_their_denominator() -> None:
    uniform, sim = summarise_readings(compared())
    # Uniform: 0, +0.1, -0.2, +0.2. Sim: +0.1, +0.05, -0.3, -0.1, -0.15, -0.2.
    assert (uniform["row"], uniform["pairs"], uniform["above"]) == ("Uniform", 4, 2)
    assert (uniform["interval"], uniform["interval_above"], uniform["interval_below"]) == ("method", 2, 1)
    assert (uniform["median"], uniform["low"], uniform["high"]) == pytest.approx((0.05, -0.2, 0.2))
    assert (sim["row"], sim["pairs"], sim["above"], sim["interval_above"]) == ("Sim", 6, 2, 2)
    assert sim["interval_below"] == 4
    assert (sim["median"], sim["low"], sim["high"]) == pytest.approx((-0.125, -0.3, 0.1))
    assert summarise_readings([]) == []


def test_wide_intervals_lie_on_neither_side_and_one_seed_counts_those_of_the_checkpoints() -> None:
    uniform, _ = summarise_readings(compared(spread=10.0))
    assert (uniform["above"], uniform["interval_above"], uniform["interval_below"]) == (2, 0, 0)
    assert {summary["interval"] for summary in summarise_readings(compared(seeds=1))} == {"checkpoints"}


def test_means_by_value_are_over_all_pairs_with_it() -> None:
    found = {(of["row"], of["path"]): of for of in by_value(compared(), READINGS, PATHS)}
    assert list(found) == [
        ("Uniform", "law.share"), ("Uniform", "law.gap"),
        ("Sim", "law.share"), ("Sim", "law.gap"), ("Sim", "law.shape"),
    ]  # fmt: skip
    share = found["Uniform", "law.share"]
    assert [(of["value"], of["pairs"]) for of in share["values"]] == [(0.5, 2), (1.0, 2)]
    assert [of["mean"] for of in share["values"]] == pytest.approx([0.05, 0.0])
    assert share["spread"] == pytest.approx(0.05)
    gap = found["Sim", "law.gap"]
    assert [(of["value"], of["pairs"]) for of in gap["values"]] == [("raw", 4), ("std", 2)]
    assert [of["mean"] for of in gap["values"]] == pytest.approx([-0.025, -0.25])
    assert by_value([], READINGS, PATHS) == []


def doubled() -> tuple[pd.DataFrame, list[dict[str, object]]]:
    """Scores in which a further reading of the focus is the run of the first one, query by query."""
    table, first = scores(), READINGS[0]
    copied = table[table["row"] == first["name"]].assign(row="Tri again")
    again = {**first, "name": "Tri again", "reading": {**first["reading"], "law.angle": "eq4"}}
    return pd.concat([table, copied], ignore_index=True), [*READINGS, again]


def test_readings_with_the_same_scores_or_fingerprints_are_the_same_run() -> None:
    table, readings = doubled()
    first = same_runs(table, COLUMN, readings)
    assert first.pop("Tri again") == READINGS[0]["name"]
    assert all(name == of for name, of in first.items())
    named = [{**of, "fingerprints": ["a", "b"] if of["row"] == "Sim" else [of["name"]]} for of in READINGS]
    sims = [of["name"] for of in READINGS if of["row"] == "Sim"]
    assert {same_runs(scores(), COLUMN, named)[name] for name in sims} == {sims[0]}


def test_one_query_of_one_seed_tells_two_runs_apart() -> None:
    table, readings = doubled()
    place = table.index[table["row"] == "Tri again"][0]
    table.loc[place, "value"] += 1e-9
    assert same_runs(table, COLUMN, readings)["Tri again"] == "Tri again"


def test_rows_that_rank_alike_are_not_readings_of_one_another() -> None:
    table, readings = doubled()
    other = [{**of, "row": "Other"} if of["name"] == "Tri again" else of for of in readings]
    assert same_runs(table, COLUMN, other)["Tri again"] == "Tri again"


def test_the_same_run_counts_once_and_stands_for_what_was_written() -> None:
    table, readings = doubled()
    written = compare_readings(table, COLUMN, readings, focus="Tri", level=0.95)
    pairs = distinct_pairs(written, same_runs(table, COLUMN, readings))
    plain = compared()
    assert [pair["value"] for pair in pairs] == [pair["value"] for pair in plain]
    for once, more in zip(summarise_readings(plain), summarise_readings(pairs), strict=True):
        assert more.pop("written") > more["pairs"] and more == once
    assert by_value(pairs, readings, PATHS) == by_value(plain, READINGS, PATHS)
