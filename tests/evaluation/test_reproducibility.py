"""Effect ratio, delta relative improvement and rank agreement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden_repro_eval import ask

from harness.evaluation.reproducibility import (
    Means,
    delta_relative_improvement,
    effect_ratio,
    measure_reproducibility,
    rank_agreement,
)

GOLDEN = json.loads(Path(__file__).with_name("golden_repro_eval.json").read_text(encoding="utf-8"))


def ours(scores: dict[str, list[float]]) -> dict[str, float | None]:
    mean = {run: float(np.mean(values)) for run, values in scores.items()}
    published = Means(mean["orig_adv"], mean["orig_base"])
    reproduced = Means(mean["rep_adv"], mean["rep_base"])
    return {
        "effect_ratio": effect_ratio(published, reproduced),
        "delta_ri": delta_relative_improvement(published, reproduced),
    }


@pytest.mark.parametrize("case", GOLDEN["cases"])
def test_both_are_those_of_repro_eval(case: dict[str, Any]) -> None:
    for name, value in ours(case["scores"]).items():
        assert value == pytest.approx(case[name], rel=0, abs=1e-12)


def test_both_are_those_of_the_package_where_it_is_installed() -> None:
    pytest.importorskip("repro_eval")
    for case in GOLDEN["cases"]:
        for name, value in ask(case["scores"]).items():
            assert ours(case["scores"])[name] == pytest.approx(value, rel=0, abs=1e-12)


def test_they_are_not_given_where_they_would_divide_by_0() -> None:
    assert effect_ratio(Means(0.4, 0.4), Means(0.5, 0.4)) is None
    assert effect_ratio(Means(0.5, 0.4), Means(0.4, 0.4)) == 0
    assert delta_relative_improvement(Means(0.4, 0.0), Means(0.5, 0.4)) is None
    assert delta_relative_improvement(Means(0.4, 0.2), Means(0.5, 0.0)) is None


def test_rank_agreement_counts_pairs_and_ties() -> None:
    assert rank_agreement([1, 2, 3], [10, 20, 30]) == 1
    assert rank_agreement([1, 2, 3], [3, 2, 1]) == -1
    assert rank_agreement([1, 2, 3], [1, 3, 2]) == pytest.approx(1 / 3)
    assert rank_agreement([1, 1, 3], [1, 2, 3]) == pytest.approx(2 / np.sqrt(2 * 3))  # one tie of three pairs
    assert rank_agreement([1], [1]) is rank_agreement([], []) is None
    assert rank_agreement([1, 1], [1, 2]) is rank_agreement([1, 2], [1, 1]) is None


def row(name: str, *cells: tuple[float | None, float | None]) -> dict[str, Any]:
    blocks = [
        {
            "published": None if published is None else {"value": published},
            "reproduced": None if reproduced is None else {"mean": reproduced},
        }
        for published, reproduced in cells
    ]
    return {"name": name, "cells": blocks}


COLUMNS = [{"label": "MRR@10", "published": True}, {"label": "nDCG@10", "published": False}]
ROWS = [
    row("Uniform", (0.4, 0.3), (None, 0.5)),
    row("Best", (0.5, 0.36), (None, 0.6)),
    row("Failed", (0.45, None), (None, None)),
    row("Ours", (None, 0.2), (None, 0.3)),
]


def test_rows_with_figures_on_both_sides_are_measured_in_printed_columns() -> None:
    found = measure_reproducibility(COLUMNS, ROWS, "Uniform", [None] * len(COLUMNS))
    assert found["not_given"] is None
    [effect] = found["effects"]
    assert (effect["row"], effect["column"]) == ("Best", "MRR@10")
    assert effect["effect_ratio"] == pytest.approx(0.6)
    assert effect["delta_ri"] == pytest.approx(0.25 - 0.2)
    assert found["ranks"] == [{"column": "MRR@10", "rows": 2, "tau": 1.0}]


def test_a_stand_in_has_no_effect_ratio_and_the_reason_stands_there() -> None:
    found = measure_reproducibility(
        COLUMNS, ROWS, "Uniform", ["pydocs stands in for MS MARCO"] * len(COLUMNS)
    )
    assert found["not_given"] == "pydocs stands in for MS MARCO"
    assert found["effects"] == []
    assert found["ranks"][0]["tau"] == 1.0


def test_without_the_baseline_there_is_no_effect_and_a_single_row_has_no_order() -> None:
    found = measure_reproducibility(COLUMNS, ROWS[1:], "Uniform", [None] * len(COLUMNS))
    assert found["effects"] == [] and "baseline" in found["not_given"]
    assert found["ranks"] == [{"column": "MRR@10", "rows": 1, "tau": None}]
