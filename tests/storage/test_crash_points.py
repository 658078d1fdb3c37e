"""A run that is killed at any of its writes continues, and ends bit for bit as if nothing had happened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.place import CHECKOUT

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="files are named by /proc")


@pytest.mark.parametrize("sample", [2, pytest.param(None, marks=pytest.mark.slow)])
def test_killed_at_a_write_a_run_continues_bit_for_bit(tmp_path, sample):
    command = [
        sys.executable,
        "-m",
        "tests.storage.crash_points",
        str(tmp_path),
        *([str(sample)] if sample else []),
    ]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert outcomes["points"] > 200 and len(outcomes["killed"]) == (sample or outcomes["points"])
    assert outcomes["different"] == {}, done.stderr
