"""Verdicts on results made again."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.targets.verify import Checked, Verification, compare_scores, environment_changes
from harness.targets.verify_stages import NEAR, check_collection, check_stage, stage_lines

COLUMNS = [{"label": "MRR@10", "dataset": "ms-pas", "measure": "RR@10", "split": "test"}]
ENVIRONMENT = {
    "commit": "a", "dirty": False, "python": "3.12.1", "platform": "Linux", "threads": 2,
    "hardware": {"cpu": "Some", "cores": 2, "gpus": [], "memory_bytes": 1},
    "packages": {"torch": "2.13.0", "rich": "15"},
}  # fmt: skip


def scores(values, row="TriSampler"):
    keys = {"row": row, "seed": 0, "dataset": "ms-pas", "split": "test", "measure": "RR@10"}
    return pd.DataFrame([{**keys, "query": str(place), "value": value} for place, value in enumerate(values)])


@pytest.mark.parametrize(
    ("made", "agreement", "verdict"),
    [
        ([0.5, 1.0, 0.0, 0.0], 1.0, "OK"),
        ([1.0, 0.5, 0.0, 0.0], 0.5, "near"),
        ([0.5, 1.0, 0.0, 4 * NEAR * 0.99], 0.75, "near"),
        ([0.5, 1.0, 0.0, 4 * NEAR * 1.01], 0.75, "FAIL"),
        ([0.5, 1.0, 0.0], 0.75, "FAIL"),
        ([0.5, 1.0, 0.0, 0.0, 0.375], 0.8, "FAIL"),
        ([], 0.0, "FAIL"),
    ],
)
def test_verdicts(made, agreement, verdict):
    committed = scores([0.5, 1.0, 0.0, 0.0])
    again = scores(made) if made else scores([0.0]).iloc[:0]
    (cell,) = compare_scores(committed, again, COLUMNS)
    assert (cell.agreement, cell.verdict) == (pytest.approx(agreement), verdict)
    assert cell.committed == 0.375 and (cell.made is None) == (not made)
    assert Verification([cell], [], []).failed == (verdict == "FAIL")


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        ({"weights": "a", "dev": 0.5}, "OK"),
        ({"weights": "b", "dev": 0.5 + 0.9 * NEAR}, "near"),
        ({"weights": "b", "dev": 0.5 + 1.1 * NEAR}, "FAIL"),
        ({"weights": "b", "dev": None}, "FAIL"),
        ({"weights": None, "dev": 0.5}, "OK"),
        ({"weights": None, "dev": 0.4}, "FAIL"),
    ],
)
def test_stages(made, verdict):
    committed = {"weights": made["weights"] and "a", "dev": 0.5}
    stage = check_stage("base run, seed 0", committed, made)
    assert (stage.committed, stage.made, stage.verdict) == (0.5, made["dev"], verdict)
    assert Verification([], [stage], []).failed == (verdict == "FAIL")


def test_stages_are_counted_and_those_that_are_not_ok_told():
    stages = [
        check_collection("collection", "a", "a"),
        check_stage("base run, seed 0", {"weights": "a", "dev": 0.5}, {"weights": "b", "dev": 0.25}),
        check_collection("collection", "a", "b"),
    ]
    assert list(stage_lines(stages)) == [
        "3 stages (collection, base runs, runs): 1 OK, 2 FAIL",
        "base run, seed 0: 0.5000 | 0.2500, FAIL",
        "collection: a | b, FAIL",
    ]


def test_rows_are_apart():
    committed = pd.concat([scores([0.5]), scores([0.25], "BM25")])
    made = pd.concat([scores([0.5]), scores([1.0], "BM25")])
    assert compare_scores(committed, made, COLUMNS) == [
        Checked("TriSampler", "MRR@10", 0.5, 0.5, 1.0, "OK"),
        Checked("BM25", "MRR@10", 0.25, 1.0, 0.0, "FAIL"),
    ]


def test_what_differs_in_the_environment_is_told():
    assert list(environment_changes(ENVIRONMENT, ENVIRONMENT)) == []
    hardware = ENVIRONMENT["hardware"] | {"cpu": "Other", "memory_bytes": 2}
    present = ENVIRONMENT | {"threads": 4, "packages": {"torch": "2.14.0"}, "hardware": hardware}
    assert list(environment_changes(ENVIRONMENT, present)) == [
        "threads: 2 | 4",
        "hardware.cpu: Some | Other",
        "package torch: 2.13.0 | 2.14.0",
        "package rich: 15 | None",
    ]
