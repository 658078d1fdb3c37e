"""Estimates as texts, in the frame's order."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.analysis.interval_table import interval_table

LINES = [
    ("uniform", "x", 0.5, 0.25, 0.75),
    ("uniform", "angle", 0.125, 0.1, 0.2),
    ("best", "x", -0.01, -0.02, 0.0),
    ("best", "angle", np.nan, np.nan, np.nan),
]


def test_texts_stand_in_the_order_of_the_frame() -> None:
    frame = pd.DataFrame(LINES, columns=["sampler", "quantity", "value", "low", "high"])
    table = interval_table(frame, index="sampler", columns="quantity", factor=100, digits=1)
    assert list(table.index) == ["uniform", "best"]
    assert list(table.columns) == ["x", "angle"]
    assert table.loc["uniform"].tolist() == ["50.0 [25.0, 75.0]", "12.5 [10.0, 20.0]"]
    assert table.loc["best"].tolist() == ["-1.0 [-2.0, 0.0]", ""]


def test_rows_may_have_two_names_and_estimates_others() -> None:
    frame = pd.DataFrame(LINES, columns=["sampler", "quantity", "kept", "kept_low", "kept_high"]).iloc[:3]
    frame["round"] = 1
    table = interval_table(
        frame, index=["sampler", "round"], columns="quantity", value="kept", ends=("kept_low", "kept_high")
    )
    assert table.loc[("best", 1), "x"] == "0.0 [0.0, 0.0]"
    assert table.loc[("best", 1), "angle"] == ""
