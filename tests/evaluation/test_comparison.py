"""Cells from per-query scores."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from harness.errors import UserError
from harness.evaluation.comparison import compare_rows, reproduced
from harness.evaluation.published import published_difference
from harness.evaluation.score_tables import same_scores, score_table
from harness.evaluation.significance import checkpoint_interval, holm, method_interval

COLUMNS = [
    {"label": "MRR@10", "dataset": "ms-pas", "measure": "RR(rel=2)@10", "split": "test"},
    {"label": "MRR@10 see-also", "dataset": "ms-pas", "measure": "RR(rel=2)@10", "split": "see-also"},
]


def figure(printed: str) -> dict[str, object]:
    return {"printed": printed, "value": float(printed) / 100, "unit": "percent"}


def scores(seeds: int = 3, queries: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    base = rng.uniform(size=queries)
    lines = [
        (row, seed, "ms-pas", split, "RR(rel=2)@10", f"q{q}", base[q] + lift + 0.05 * rng.normal())
        for row, lift in [("Uniform", 0.0), ("Top", 0.01), ("Best", 0.1)]
        for split in ("test", "see-also")
        for seed in range(seeds)
        for q in range(queries)
    ]
    return pd.DataFrame(lines, columns=["row", "seed", "dataset", "split", "measure", "query", "value"])


ROWS = {
    "Uniform": [figure("39.7"), None],
    "Top": [figure("40.6"), None],
    "Best": [figure("41.4"), None],
    "Absent": [figure("41.1"), None],
}


def test_difference_is_paired_by_seed_and_query_whatever_the_order_of_lines() -> None:
    table = scores()
    shuffled = table.sample(frac=1, random_state=1)
    comparisons = [
        compare_rows(t, COLUMNS, ROWS, baseline="Uniform", primary="MRR@10", level=0.95)
        for t in (table, shuffled)
    ]
    assert json.dumps(comparisons[0].differences) == json.dumps(comparisons[1].differences)
    block = comparisons[0].differences["Best"][0]
    assert block is not None
    test = table[table["split"] == "test"]
    by_row = {
        row: part.pivot(index="seed", columns="query", values="value").to_numpy()
        for row, part in test.groupby("row")
    }
    expected = checkpoint_interval(by_row["Best"] - by_row["Uniform"], 0.95)
    assert (block["value"], block["checkpoints"]["low"]) == pytest.approx((expected.mean, expected.low))
    assert block["method"]["low"] <= block["checkpoints"]["low"] < 0.1 < block["checkpoints"]["high"]


def test_holm_stands_on_the_primary_column_alone() -> None:
    comparison = compare_rows(scores(), COLUMNS, ROWS, baseline="Uniform", primary="MRR@10", level=0.95)
    by_row = {row: score_table(scores(), row, COLUMNS[0]).to_numpy() for row in ("Uniform", "Top", "Best")}
    raw = {row: method_interval(by_row[row] - by_row["Uniform"], 0.95).p_value for row in ("Top", "Best")}
    assert raw["Best"] < raw["Top"]
    assert comparison.differences["Best"][0]["holm_p"] == pytest.approx(2 * raw["Best"])
    assert comparison.differences["Top"][0]["holm_p"] == pytest.approx(max(raw["Top"], 2 * raw["Best"]))
    assert comparison.differences["Best"][1]["holm_p"] is None
    assert comparison.differences["Uniform"] == [None, None]
    assert 0 < comparison.smallest_difference["checkpoints"] <= comparison.smallest_difference["method"]


def test_a_row_that_was_not_trained_keeps_its_published_difference_alone() -> None:
    comparison = compare_rows(scores(), COLUMNS, ROWS, baseline="Uniform", primary="MRR@10", level=0.95)
    block, unpublished = comparison.differences["Absent"]
    assert block["value"] is None and block["checkpoints"] is None
    assert block["published"]["value"] == pytest.approx(0.014)
    assert unpublished is None
    assert reproduced(scores(), "Absent", COLUMNS[0], 0.95) is None


def test_one_seed_has_no_method_interval() -> None:
    comparison = compare_rows(
        scores(seeds=1), COLUMNS, ROWS, baseline="Uniform", primary="MRR@10", level=0.95
    )
    assert comparison.differences["Best"][0]["method"] is None
    assert comparison.differences["Best"][0]["holm_p"] is not None
    assert comparison.smallest_difference["method"] is None


def test_seeds_that_both_rows_have_are_compared() -> None:
    table = scores()
    table = table[~((table["row"] == "Best") & (table["seed"] == 2))]
    comparison = compare_rows(table, COLUMNS, ROWS, baseline="Uniform", primary="MRR@10", level=0.95)
    pair = table[(table["split"] == "test") & (table["seed"] < 2)].groupby("row")["value"].mean()
    assert comparison.differences["Best"][0]["value"] == pytest.approx(pair["Best"] - pair["Uniform"])


def test_reproduced_has_the_mean_and_the_spread_over_seeds() -> None:
    table = scores()
    block = reproduced(table, "Top", COLUMNS[0], 0.95)
    assert block is not None
    chosen = table[(table["row"] == "Top") & (table["split"] == "test")]
    per_seed = chosen.groupby("seed")["value"].mean()
    assert block["per_seed"] == pytest.approx(list(per_seed))
    assert (block["mean"], block["sd"]) == pytest.approx((per_seed.mean(), per_seed.std()))
    assert reproduced(scores(seeds=1), "Top", COLUMNS[0], 0.95)["sd"] is None


def test_published_difference_carries_its_rounding_interval_without_float_dust() -> None:
    assert published_difference(figure("40.6"), figure("39.7")) == {
        "value": 0.009,
        "low": 0.008,
        "high": 0.01,
    }
    fractions = [{"printed": p, "value": float(p), "unit": "fraction"} for p in ("0.320", "0.33")]
    assert published_difference(*fractions) == {"value": -0.01, "low": -0.0155, "high": -0.0045}
    assert published_difference(figure("40.6"), None) is None


def test_rows_on_different_queries_are_refused() -> None:
    table = scores()
    with pytest.raises(UserError, match="'Best' and 'Uniform' are scored on different queries"):
        compare_rows(
            table[~((table["row"] == "Best") & (table["query"] == "q7"))],
            COLUMNS, ROWS, baseline="Uniform", primary="MRR@10", level=0.95,
        )  # fmt: skip
    lost = table[~((table["row"] == "Top") & (table["query"] == "q7") & (table["seed"] == 0))]
    with pytest.raises(UserError, match="seeds of row 'Top'"):
        reproduced(lost, "Top", COLUMNS[0], 0.95)


def test_unknown_baseline_and_primary_are_refused() -> None:
    with pytest.raises(UserError, match="baseline 'uniform'"):
        compare_rows(scores(), COLUMNS, ROWS, baseline="uniform", primary="MRR@10", level=0.95)
    with pytest.raises(UserError, match="primary column 'nDCG'"):
        compare_rows(scores(), COLUMNS, ROWS, baseline="Uniform", primary="nDCG", level=0.95)


def test_pairs_are_a_family_of_their_own() -> None:
    """Pairs leave the p-values of the rows as they are, and the smallest difference to be found."""
    table, keys = scores(), {"baseline": "Uniform", "primary": "MRR@10", "level": 0.95}
    alone = compare_rows(table, COLUMNS, ROWS, **keys)
    pair = ("Best", "Top")
    made = compare_rows(table, COLUMNS, ROWS, **keys, pairs={pair: (ROWS["Best"], ROWS["Top"])})
    assert alone.pairs == {} and list(made.pairs) == [pair]
    values = {name: score_table(table, name, COLUMNS[0]).to_numpy() for name in pair}
    block = made.pairs[pair][0]
    expected = method_interval(values["Best"] - values["Top"], 0.95)
    assert block is not None and expected is not None
    assert block["value"] == pytest.approx(expected.mean)
    assert block["method"]["low"] == pytest.approx(expected.low)
    assert block["published"]["value"] == pytest.approx(0.008)
    assert block["holm_p"] == pytest.approx(expected.p_value)
    assert made.differences == alone.differences
    assert made.smallest_difference == alone.smallest_difference
    second = made.pairs[pair][1]
    assert second is not None and second["holm_p"] is None and second["method"] is not None


def test_holm_is_over_the_pairs() -> None:
    """Of two pairs the smaller p-value counts double, whatever the number of rows."""
    named = [("Best", "Top"), ("Top", "Uniform")]
    made = compare_rows(
        scores(),
        COLUMNS,
        ROWS,
        baseline="Uniform",
        primary="MRR@10",
        level=0.95,
        pairs={(one, other): (ROWS[one], ROWS[other]) for one, other in named},
    )
    tables = {name: score_table(scores(), name, COLUMNS[0]).to_numpy() for name in ROWS}
    intervals = [method_interval(tables[one] - tables[other], 0.95) for one, other in named]
    blocks = [made.pairs[pair][0] for pair in named]
    assert [block["holm_p"] for block in blocks if block] == holm(
        [interval.p_value for interval in intervals if interval]
    )


def test_rows_with_different_baselines_are_different_families() -> None:
    """A row is compared with the one that is named for it, and with no other."""
    keys = {"baseline": "Uniform", "primary": "MRR@10", "level": 0.95}
    made = compare_rows(scores(), COLUMNS, ROWS, **keys, minus={"Top": "Uniform", "Best": "Top"})
    tables = {name: score_table(scores(), name, COLUMNS[0]).to_numpy() for name in ROWS}
    for row, other in (("Top", "Uniform"), ("Best", "Top")):
        block, interval = made.differences[row][0], method_interval(tables[row] - tables[other], 0.95)
        assert block is not None and interval is not None
        assert block["value"] == pytest.approx(interval.mean)
        assert block["holm_p"] == pytest.approx(interval.p_value)
    alone = compare_rows(scores(), COLUMNS, ROWS, **keys, minus={"Top": "Uniform"})
    assert alone.differences["Best"] == alone.differences["Uniform"] == [None, None]


def test_a_pair_without_scores_of_one_row_is_empty() -> None:
    pairs = {
        ("Best", "Absent"): (ROWS["Best"], ROWS["Absent"]),
        ("Absent", "Nobody"): ([None] * 2, [None] * 2),
    }
    made = compare_rows(
        scores(), COLUMNS, ROWS, baseline="Uniform", primary="MRR@10", level=0.95, pairs=pairs
    )
    block, nothing = made.pairs["Best", "Absent"][0], made.pairs["Absent", "Nobody"][0]
    assert block is not None and block["value"] is None and block["published"] is not None
    assert nothing is None


def copied(frame: pd.DataFrame, row: str, name: str) -> pd.DataFrame:
    """A further row with the scores of another."""
    return pd.concat([frame, frame[frame["row"] == row].assign(row=name)], ignore_index=True)


@pytest.mark.parametrize("seeds", [1, 3])
def test_intervals_say_where_no_query_differs(seeds: int) -> None:
    rows = {name: [None, None] for name in ("Uniform", "Top", "Twin")}
    table = copied(scores(seeds), "Uniform", "Twin")
    made = compare_rows(table, COLUMNS, rows, baseline="Uniform", primary="MRR@10", level=0.95).differences
    for twin, top in zip(made["Twin"], made["Top"], strict=True):
        assert twin and top and twin["value"] == 0.0
        assert twin["checkpoints"]["same"] is True and "same" not in top["checkpoints"]
        assert (twin["method"] or {"same": True})["same"] is True


def test_differences_that_cancel_over_seeds_are_differences() -> None:
    """Both intervals are [0, 0], and still queries differ."""
    table = pd.DataFrame({"row": "Uniform", "seed": [0, 0, 1, 1], "query": ["a", "b"] * 2, "value": 0.5})
    other = table.assign(row="Other", value=[0.75, 0.25, 0.25, 0.75])
    frame = pd.concat([table, other], ignore_index=True).assign(
        dataset="ms-pas", split="test", measure="RR(rel=2)@10"
    )
    rows = {"Uniform": [None], "Other": [None]}
    made = compare_rows(frame, COLUMNS[:1], rows, baseline="Uniform", primary="MRR@10", level=0.95)
    block = made.differences["Other"][0]
    assert (
        block and block["method"]["low"] == block["method"]["high"] == 0.0 and "same" not in block["method"]
    )


def test_rows_with_the_same_scores_are_grouped_whatever_the_order_of_lines() -> None:
    table = copied(copied(scores(), "Best", "Twin"), "Best", "Triplet").sample(frac=1, random_state=2)
    assert [sorted(group) for group in same_scores(table)] == [["Best", "Triplet", "Twin"]]
    assert same_scores(scores()) == []


@pytest.mark.parametrize(("column", "value"), [("value", 0.5), ("seed", 7), ("split", "dev")])
def test_one_line_makes_a_row_another(column: str, value: object) -> None:
    table = copied(scores(), "Best", "Twin")
    table.loc[table.index[table["row"] == "Twin"][5], column] = value
    assert same_scores(table) == []
