"""What a run tells of its speed is the sum of what its steps tell."""

from __future__ import annotations

import pytest

from harness.provenance.speed import speed_lines

STEP = {
    "phase": "continued", "seconds": 2.0, "seconds_data": 0.2, "seconds_forward": 0.8,
    "seconds_backward": 0.9, "seconds_optimizer": 0.1, "tokens": 300.0, "tokens_per_second": 150.0,
    "seconds_at_matrix_rate": 0.5,
}  # fmt: skip
MINED = {
    "phase": "continued mining",
    "seconds_encoding": 0.6,
    "seconds_mining": 0.4,
    "seconds_similarity": 0.3,
}


def test_shares_are_of_all_steps_and_refreshes_stand_beside() -> None:
    slow = {**STEP, "seconds": 4.0, "seconds_data": 2.2}
    assert dict(speed_lines([STEP, MINED, slow])) == {
        "steps": "6 s: data 40%, forward 27%, backward 30%, optimizer 3%",
        "refreshes": "1 s, 14% of both",
        "speed": "100 tokens a second, 17% of the rate of a product of matrices (MFU)",
    }


@pytest.mark.parametrize("lines", [[], [MINED], [{"phase": "continued", "seconds": 2.0, "loss": 1.0}]])
def test_runs_that_do_not_tell_it_have_no_line(lines: list[dict[str, float]]) -> None:
    assert list(speed_lines(lines)) == []


def test_communication_is_told_where_there_is_some() -> None:
    [steps, _] = speed_lines([{**STEP, "seconds_communication": 0.5}])
    assert "communication 25%" in steps[1]
