from __future__ import annotations

import pandas as pd
import pytest

from harness.analysis.rounds import DIAGNOSTICS, draw_rounds, rounds
from harness.errors import UserError


def logged(values: dict[int, float]) -> pd.DataFrame:
    lines = [
        (phase, step, metric, value)
        for step, value in values.items()
        for phase, metric in (("continued", "loss"), *(("continued refresh", of) for of in DIAGNOSTICS))
    ]
    return pd.DataFrame(lines, columns=["phase", "step", "metric", "value"])


def test_refreshes_are_numbered_by_their_steps_row_by_row():
    frame = rounds({"one": logged({0: 0.5, 40: 0.25}), "other": logged({0: 0.5})})
    assert list(frame.columns) == ["row", "round", "step", "diagnostic", "value"]
    assert set(frame["diagnostic"]) == set(DIAGNOSTICS)
    gap = frame[frame["diagnostic"] == "gap_sd"]
    assert gap[["row", "round", "step", "value"]].to_numpy().tolist() == [
        ["one", 0, 0, 0.5],
        ["one", 1, 40, 0.25],
        ["other", 0, 0, 0.5],
    ]


def test_a_row_without_refreshes_is_refused():
    with pytest.raises(UserError, match="base was trained without a refresh"):
        rounds({"base": logged({0: 1.0}).query("phase == 'continued'")})


def test_a_diagnostic_that_was_not_logged_leaves_its_panel_empty(tmp_path):
    frame = rounds({"one": logged({0: 0.5, 40: 0.25}).query("metric != 'zero_relu_share'")})
    draw_rounds(frame, tmp_path / "f.svg", tmp_path / "f.png", title="what it is")
    assert (tmp_path / "f.svg").read_text().startswith("<?xml")
    assert (tmp_path / "f.png").stat().st_size > 5000
