"""What a run costs, from its lines of metrics."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.evaluation.costs import COSTS, over_runs, run_costs
from harness.records.run_folder import RunFolder, is_time


def times(seconds: float) -> dict[str, float]:
    return {"seconds": seconds, "seconds_drawing": seconds / 10}


def lines(pause: float = 0.0) -> list[dict]:
    steps = [
        {
            "phase": "continued",
            "step": n,
            "time": n + pause * (n > 2),
            "seconds": s,
            "seconds_drawing": s / 10,
        }
        for n, s in enumerate((9.0, 1.0, 2.0, 3.0, 4.0))
    ]
    refreshes = [
        {"phase": "continued mining", "step": 2 * n, "time": 0.0, "seconds_encoding": e, "seconds_mining": m}
        for n, (e, m) in enumerate([(5.0, 1.0), (7.0, 3.0)], start=1)
    ]  # fmt: skip
    other = [{"phase": "base", "step": 1, "time": 0.0, "seconds": 1000.0}]
    return [*other, *steps, *refreshes]


def test_medians_over_steps_and_over_refreshes() -> None:
    costs = run_costs(lines(), "continued", refresh=4)
    assert costs == pytest.approx(
        {"step": 3.0, "drawing": 0.3, "encoding": 6.0, "mining": 2.0, "construction": 8.0,
         "construction-a-step": 2.0, "all": 5.0}
    )  # fmt: skip
    assert costs.keys() == COSTS.keys()


def test_a_pause_costs_nothing() -> None:
    assert run_costs(lines(pause=1e6), "continued", 4) == run_costs(lines(), "continued", 4)


def test_what_was_not_recorded_is_not_there() -> None:
    assert run_costs([{"phase": "continued", "step": 1, "time": 0.0, "loss": 1.0}], "continued", 4) == {}
    steps = [line for line in lines() if line["phase"] == "continued"]
    assert run_costs(steps, "continued", None).keys() == {"step", "drawing"}


def test_quartiles_over_runs() -> None:
    block = over_runs([4.0, 1.0, 2.0])
    assert (block["low"], block["median"], block["high"]) == (1.5, 2.0, 3.0)
    assert block["per_run"] == [4.0, 1.0, 2.0]
    assert over_runs([4.0]) == {"median": 4.0, "low": None, "high": None, "per_run": [4.0]}


def test_times_are_no_results(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.log("continued refresh", 4, gap_sd=0.5, seconds_mining=3.0)
    assert folder.last("continued refresh") == {"gap_sd": 0.5}
    assert is_time("time") and is_time("seconds_drawing") and not is_time("gap_sd")
