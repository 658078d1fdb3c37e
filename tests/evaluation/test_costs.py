"""What a run costs, from its lines of metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.evaluation.costs import COSTS, against_itself, over_runs, run_costs, similarity_apart
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
    assert costs.keys() == COSTS.keys() - {"similarity"}


def test_where_all_turns_are_the_rankers_a_refresh_costs_what_it_does_and_there_is_no_step() -> None:
    mined = [line for line in lines() if line["phase"] != "continued"]
    assert run_costs(mined, "continued", refresh=4) == pytest.approx(
        {"encoding": 6.0, "mining": 2.0, "construction": 8.0, "construction-a-step": 2.0}
    )


def similar(share: float = 0.25) -> list[dict]:
    """The same lines, a share of mining being similarities of documents."""
    return [
        line | ({"seconds_similarity": share * line["seconds_mining"]} if "seconds_mining" in line else {})
        for line in lines()
    ]


def test_similarities_are_charged_to_laws_that_read_them() -> None:
    reads, does_not = (run_costs(similar(), "continued", 4, charged=charged) for charged in (True, False))
    assert reads["mining"] == does_not["mining"] == pytest.approx(1.5)
    assert (reads["similarity"], does_not["similarity"]) == (pytest.approx(0.5), 0.0)
    assert (reads["construction"], does_not["construction"]) == (pytest.approx(8.0), pytest.approx(7.5))
    assert reads["all"] - does_not["all"] == pytest.approx(0.5 / 4)
    assert reads.keys() == COSTS.keys()


def test_not_told_apart_they_are_part_of_mining() -> None:
    assert run_costs(similar(), "continued", 4) == run_costs(lines(), "continued", 4)


def test_a_run_tells_them_apart_where_each_refresh_does() -> None:
    assert similarity_apart(similar(), "continued") and not similarity_apart(lines(), "continued")
    assert not similarity_apart(similar()[:-1] + lines()[-1:], "continued")  # continued by an older version
    assert similarity_apart(similar(0.0), "continued")
    assert similarity_apart([line for line in lines() if line["phase"] == "continued"], "continued")


def test_half_of_the_runs_against_the_other() -> None:
    half = against_itself([2.0, 1.0, 2.0, 1.0])
    assert half is not None and (half.ratio, half.low, half.high) == pytest.approx((2.0, 2.0, 2.0))
    half = against_itself([1.0, 1.1, 1.2, 0.9, 1.0])
    assert half is not None and half.low < half.ratio < half.high
    slower = against_itself([10.0, 11.0, 12.0, 9.0, 10.0])
    assert slower is not None and (slower.low, slower.high) == pytest.approx((half.low, half.high))


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0, 3.0], [0.0] * 4])
def test_too_few_runs_or_no_seconds_have_no_halves(values: list[float]) -> None:
    assert against_itself(values) is None


@pytest.mark.parametrize("runs", [4, 5, 6])
def test_the_interval_of_halves_holds_no_difference_as_often_as_it_says(runs: int) -> None:
    generator = np.random.default_rng(0)
    halves = [against_itself(seconds.tolist()) for seconds in generator.lognormal(0, 0.1, (1000, runs))]
    share = np.mean([half.low <= 1 <= half.high for half in halves if half])
    assert share == pytest.approx(0.95, abs=0.025)


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
