"""In which order the runs of a target are made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.targets.reproduce import rows_in_turn


def order(rows: str, seeds: int, datasets: str = "a") -> tuple[list[Any], list[Any]]:
    planned: list[Any] = [
        SimpleNamespace(dataset=dataset, seed=seed, row=row)
        for dataset in datasets
        for seed in range(seeds)
        for row in rows
    ]
    return planned, rows_in_turn(planned)


@pytest.mark.parametrize(
    ("rows", "seeds", "made"),
    [("xy", 4, "xyyxxyyx"), ("xyz", 2, "xyzzyx"), ("x", 3, "xxx"), ("xyz", 1, "xyz"), ("", 2, "")],
)
def test_rows_take_turns_and_none_is_always_first(rows: str, seeds: int, made: str) -> None:
    assert "".join(run.row for run in order(rows, seeds)[1]) == made


def test_a_machine_that_slows_down_falls_on_all_rows_alike() -> None:
    _, made = order("xyz", 4)
    at = {row: sum(n for n, run in enumerate(made) if run.row == row) for row in "xyz"}
    assert len(set(at.values())) == 1


def test_no_run_is_lost_and_datasets_stay_together() -> None:
    planned, made = order("xy", 3, "ab")
    assert sorted(map(id, planned)) == sorted(map(id, made))
    assert [run.dataset for run in made] == ["a"] * 6 + ["b"] * 6
