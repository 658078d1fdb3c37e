"""A command on several processes: what it asks for, what it makes, how it ends where one is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

from harness.cli.launch import _failed, _record, joined, processes
from harness.errors import LostRankError, UserError
from harness.retrieval.ranks import ALONE
from tests.place import TARGET, Place

LOST, KILLED, STOPPED = LostRankError.exit_code, -signal.SIGKILL, 128 + signal.SIGTERM


def failures(folder: Path, **exits: int) -> dict[int, ProcessFailure]:
    """What the launcher knows of processes that ended: ``r0=2`` is rank 0 with exit code 2."""
    return {
        int(rank[1:]): ProcessFailure(int(rank[1:]), 1000, code, str(folder / f"{rank}.json"))
        for rank, code in exits.items()
    }


@pytest.mark.parametrize(
    ("exits", "code", "line"),
    [
        ({"r0": 2}, 2, ""),
        ({"r0": 1, "r1": LOST, "r2": LOST}, 1, ""),
        ({"r1": KILLED, "r0": LOST}, 1, "process 1 of 3 is lost: it was ended by SIGKILL; "),
        ({"r1": KILLED, "r0": STOPPED}, 1, "process 1 of 3 is lost: it was ended by SIGKILL; "),
        ({"r0": -signal.SIGABRT, "r2": LOST}, 1, "process 0 of 3 is lost: it was ended by SIGABRT; "),
        ({"r0": LOST, "r2": LOST}, 1, "the 3 processes lost each other; "),
        ({"r0": STOPPED, "r1": LOST}, STOPPED, "interrupted; "),
    ],
)
def test_a_lost_process_is_named_unless_the_first_has_said_why(tmp_path, capsys, exits, code, line):
    assert _failed(failures(tmp_path, **exits), 3) == code
    said = capsys.readouterr().err
    assert said.count("\n") == bool(line)
    assert line in said and ("the same command continues" in said) == bool(line)


def test_what_another_process_fails_at_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "r1.json"))
    _record(ValueError("shapes differ\nand more"))
    assert _failed(failures(tmp_path, r0=LOST, r1=1), 2) == 1
    assert capsys.readouterr().err.startswith("error: process 1 of 2 is lost: shapes differ; ")


def test_how_many_processes_a_command_asks_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [processes(None, None), processes(3, None), processes(None, 2)] == [1, 3, 2]
    with pytest.raises(UserError, match=r"--gpus 3: this machine has 2 GPU\(s\)"):
        processes(None, 3)
    with pytest.raises(UserError, match="the same number"):
        processes(2, 2)


def test_a_process_of_no_launcher_is_a_group_of_one(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    with joined() as ranks:
        assert ranks is ALONE


def printed(place: Place) -> Any:
    """The rows of a table as it prints them."""
    return (place.results / "table.md").read_text(encoding="utf-8")


def per_query(place: Place) -> pd.DataFrame:
    return pd.read_parquet(place.results / "per_query.parquet")


@pytest.mark.slow
def test_a_table_on_two_processes_is_that_of_one(made: Place, tmp_path: Path) -> None:
    place = Place(tmp_path)
    done = place.reproduce("--ranks", "2", "--recompute")
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stderr.splitlines() if line.strip()]) == 1  # which names the places
    pd.testing.assert_frame_equal(per_query(place), per_query(made))
    assert printed(place) == printed(made)
    runs = json.loads((place.results / "provenance.json").read_text())
    assert runs.keys() == json.loads((made.results / "provenance.json").read_text()).keys()
    again = place.reproduce("--ranks", "2")
    assert "Trained 0 runs" in again.stdout, again.stderr


def begun(place: Place) -> bool:
    """Whether a run has taken a step and is not done."""
    metrics = (place.root / "store/runs").glob("*/metrics.jsonl")
    return any(path.stat().st_size and not (path.parent / "done.json").exists() for path in metrics)


def ranks_below(launcher: int) -> dict[int, int]:
    """The processes that a launcher has started: rank -> process id."""
    listed = subprocess.run(["pgrep", "-P", str(launcher)], capture_output=True, text=True, check=True)
    found = {}
    for process in map(int, listed.stdout.split()):
        lines = Path(f"/proc/{process}/environ").read_bytes().decode().split("\0")
        found |= {int(line.removeprefix("RANK=")): process for line in lines if line.startswith("RANK=")}
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found by /proc")
@pytest.mark.parametrize(
    ("whom", "number", "code", "line"),
    [
        (0, signal.SIGKILL, 1, "error: process 0 of 2 is lost: it was ended by SIGKILL; "),
        (1, signal.SIGKILL, 1, "error: process 1 of 2 is lost: it was ended by SIGKILL; "),
        (None, signal.SIGTERM, STOPPED, "interrupted; the same command continues where it was"),
        (None, signal.SIGINT, 130, "interrupted; the same command continues where it was"),
        (None, signal.SIGKILL, KILLED, ""),
    ],
)
def test_a_command_that_loses_a_process_ends_in_a_line_and_continues(
    made: Place, tmp_path: Path, whom: int | None, number: int, code: int, line: str
) -> None:
    place = made.copy(tmp_path / "place")
    for folder in place.runs("continued"):
        shutil.rmtree(folder)
    command = place.command("reproduce", TARGET, "--scale", "simulation", "--seeds", "1", "--ranks", "2")
    with subprocess.Popen(
        command, cwd=place.root, env=place.environment(), stderr=subprocess.PIPE, text=True
    ) as launcher:
        while not begun(place):
            assert launcher.poll() is None
            time.sleep(0.02)
        ranks = ranks_below(launcher.pid)
        os.kill(launcher.pid if whom is None else ranks[whom], number)
        _, said = launcher.communicate(timeout=60)
    lines = [told for told in said.splitlines() if told and not told.startswith("specs: ")]
    assert launcher.returncode == code
    assert [told[: len(line)] for told in lines] == ([line] if line else [])
    until = time.monotonic() + 60
    while any(Path(f"/proc/{process}").exists() for process in ranks.values()):
        assert time.monotonic() < until
        time.sleep(0.1)
    again = place.reproduce("--ranks", "2")
    assert again.returncode == 0, again.stderr
    pd.testing.assert_frame_equal(per_query(place), per_query(made))
