"""Of several processes on one store, one makes a product; what a dead one held is taken over."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.storage import leases
from harness.storage.leases import BusyError, lease
from tests.place import CHECKOUT, TARGET, Place

HOLD = """
import sys, time
from pathlib import Path
from harness.storage.leases import lease
with lease(Path(sys.argv[1]), "it", print):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(path: Path, seconds: float) -> subprocess.Popen[str]:
    """Hold a lease in another process; returns once it is held."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), str(seconds)],
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_second_process_waits_and_says_so_once(tmp_path):
    lines: list[str] = []
    process = hold(tmp_path / "x", 1.5)
    with lease(tmp_path / "x", "the base run", lines.append):
        assert process.wait() == 0
        note = json.loads((tmp_path / "x.json").read_text())
        assert note["pid"] == os.getpid()
    assert len(lines) == 1
    assert lines[0].startswith(f"waiting: the base run is being made by process {process.pid} on ")
    assert not (tmp_path / "x.json").exists()


def test_who_will_not_wait_is_told(tmp_path):
    process = hold(tmp_path / "x", 60)
    with pytest.raises(BusyError, match=f"it is being made by process {process.pid}"):
        lease(tmp_path / "x", "it", print, wait=False).__enter__()
    process.kill()
    process.wait()


def test_the_lease_of_a_killed_process_is_taken_over_at_once(tmp_path):
    process = hold(tmp_path / "x", 60)
    process.kill()
    process.wait()
    assert (tmp_path / "x.json").exists()
    with lease(tmp_path / "x", "it", print, wait=False):
        assert json.loads((tmp_path / "x.json").read_text())["pid"] == os.getpid()


@pytest.mark.parametrize(
    ("age_s", "busy"),
    [(5, True), (-5, True), (leases.STALE_S + 5, False), (-leases.STALE_S - 5, False), (-1e9, False)],
)
def test_on_another_host_the_heartbeat_decides(tmp_path, age_s, busy):
    note = tmp_path / "x.json"
    note.write_text('{"host": "elsewhere", "pid": 7, "since": 0}')
    beat = time.time() - age_s
    os.utime(note, (beat, beat))
    if busy:
        with pytest.raises(BusyError, match="process 7 on elsewhere"):
            lease(tmp_path / "x", "it", print, wait=False).__enter__()
    else:
        with lease(tmp_path / "x", "it", print, wait=False):
            pass


def test_a_torn_note_of_a_dead_process_is_no_obstacle(tmp_path):
    (tmp_path / "x.json").write_text("{torn")
    with lease(tmp_path / "x", "it", print, wait=False):
        pass


def test_the_heart_beats_while_a_lease_is_held(tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "HEARTBEAT_S", 0.05)
    with lease(tmp_path / "x", "it", print):
        os.utime(tmp_path / "x.json", (0, 0))
        deadline = time.monotonic() + 10
        while (tmp_path / "x.json").stat().st_mtime == 0 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (tmp_path / "x.json").stat().st_mtime > 0


def test_a_lease_is_given_back_when_its_work_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), lease(tmp_path / "x", "it", print):
        raise ZeroDivisionError
    with lease(tmp_path / "x", "it", print, wait=False):
        pass


def start(place: Place, folder: Path) -> subprocess.Popen[str]:
    """Start a reproduction with results of its own on a store that is shared."""
    shutil.copytree(place.root / "experiments", folder / "experiments")
    return subprocess.Popen(
        place.command("reproduce", TARGET, "--scale", "simulation", "--seeds", "1"),
        cwd=folder,
        env=place.environment() | {"HARNESS_STORE": str(place.root / "store")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_four_processes_on_one_store_make_each_run_once(made, tmp_path, killed):
    place = Place(tmp_path)
    processes = [start(place, tmp_path / f"process-{number}") for number in range(4)]
    alive = list(processes)
    if killed:
        while not any(tmp_path.glob("store/runs/*/checkpoints/step-*")):
            time.sleep(0.01)
        notes = [json.loads(note.read_text()) for note in tmp_path.glob("store/leases/*.json")]
        run = next(tmp_path.glob("store/runs/*/checkpoints/step-*")).parents[1].name
        (holder,) = (
            {note["pid"] for note in notes}
            & {process.pid for process in processes}
            & {json.loads((tmp_path / f"store/leases/{run}.json").read_text())["pid"]}
        )
        os.kill(holder, signal.SIGKILL)
        alive = [process for process in processes if process.pid != holder]
    outputs = [process.communicate(timeout=600) for process in processes]
    assert [process.returncode for process in alive] == [0] * len(alive), outputs
    expected = (made.results / "cells.json").read_bytes()
    for number, process in enumerate(processes):
        if process in alive:
            results = tmp_path / f"process-{number}/results/local/simulation" / TARGET
            assert (results / "cells.json").read_bytes() == expected
    for folder in place.runs("base") + place.runs("continued"):
        steps = [
            (line["phase"], line["step"])
            for line in map(json.loads, (folder / "metrics.jsonl").open())
            if "loss" in line
        ]
        assert len(steps) == len(set(steps)) == (64 if folder in place.runs("base") else 30)
    if not killed:
        counts = [int(out.split("Trained ")[1].split()[0]) for out, _ in outputs]
        assert sum(counts) == 4, counts  # BM25, base run and two rows, each by one of them
    assert not list(tmp_path.glob("store/leases/*.json"))


@pytest.mark.parametrize("ahead_s", [-3600, 3600])
def test_a_note_of_another_host_from_the_past_or_the_future_is_left_behind(tmp_path, ahead_s):
    note = tmp_path / "lease.json"
    note.write_text('{"host": "elsewhere", "pid": 1}')
    os.utime(note, (time.time() + ahead_s,) * 2)
    with lease(tmp_path / "lease", "it", print, wait=False):
        pass
    note.write_text('{"host": "elsewhere", "pid": 1}')
    with pytest.raises(BusyError), lease(tmp_path / "lease", "it", print, wait=False):
        pass
