"""A run that is killed at any of its writes continues, and ends bit for bit as if nothing had happened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.place import CHECKOUT

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="files are named by /proc")


SLOW = pytest.mark.slow
EVERY = "0"


@pytest.mark.parametrize("sample", ["2", pytest.param(EVERY, marks=SLOW)])
def test_killed_at_a_write_a_run_continues_bit_for_bit(tmp_path, sample):
    assert killed(tmp_path, sample)["points"] > 200


@pytest.mark.parametrize(
    ("sample", "place", "points"),
    [
        pytest.param("2", "states", 80, marks=SLOW),
        pytest.param(EVERY, "states", 80, marks=SLOW),
        pytest.param("40", "runs", 100, marks=SLOW),
    ],
)
def test_killed_in_encoding_or_training_a_head_continues_bit_for_bit(tmp_path, sample, place, points):
    assert killed(tmp_path, sample, place)["points"] > points


@pytest.mark.parametrize(
    ("sample", "victim"),
    [
        ("3", "in-turn"),
        pytest.param(EVERY, "rank-0", marks=SLOW),
        pytest.param(EVERY, "rank-1", marks=SLOW),
        pytest.param(EVERY, "launcher", marks=SLOW),
    ],
)
def test_where_one_of_two_ranks_or_their_launcher_is_killed_it_continues_bit_for_bit(
    tmp_path, sample, victim
):
    assert killed(tmp_path, sample, victim)["points"] > 200


def killed(folder, sample, *place):
    """Kill a run at some of its writes, or at every one, and continue it, which changes no outcome."""
    command = [sys.executable, "-m", "tests.storage.crash_points", str(folder), sample, *place]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert len(outcomes["killed"]) == (int(sample) or outcomes["points"])
    assert outcomes["different"] == {}, done.stderr
    return outcomes
