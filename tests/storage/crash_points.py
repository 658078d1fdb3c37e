"""Kill a tiny training run at its writes, one after the other, continue it, and compare what it ends with.

    python -m tests.storage.crash_points FOLDER [SAMPLE [PLACE | VICTIM]]

A point is what is about to happen to a file below the folder: opened for writing, flushed, renamed, made,
cut or removed. With a place of the store, `states` or `runs`, the run trains a head over states of an encoder
of several layers, and only what happens below that place is a point. At the n-th the process is killed, and
what was written but not flushed is torn, as by a power failure. Prints as JSON how many points there are, at
which it was killed, and the outcomes that differ from the one of a run that nothing disturbed. Each run is a
fork of this process, which spares it the seconds of all its imports.

With a victim, two ranks make the run: at a write of rank 0, `rank-0`, `rank-1` or the `launcher` is killed,
or with `in-turn` one of them, another at each point.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
import os
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import bm25s  # noqa: F401  (imported here and not in each fork)
import faiss  # noqa: F401
import numpy as np
import pyarrow.parquet  # noqa: F401
import pytrec_eval  # noqa: F401
import torch
import transformers

import harness.retrieval.states as states_module
from harness.cli.launch import joined
from harness.progress import Progress
from harness.records.environment import describe_environment
from harness.records.run_folder import is_time
from harness.retrieval.encode import length_buckets
from harness.runs import stages as stages_module
from harness.runs.following import led
from harness.runs.run import Means
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.storage.stopping import on_signals
from harness.storage.store import Store
from harness.targets.reproduce import plan, resolve_at
from tests.place import TARGET, Place, edit

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate"}
VICTIMS = ("rank-0", "rank-1", "launcher")
IN_TURN = "in-turn"


class Points:
    """Counts the points of this process, and kills it, or another, at one of them."""

    def __init__(self, root: Path, kill_at: int, victim: int | None = None) -> None:
        self.count, self._root, self._kill_at = 0, str(root), kill_at
        self._victim = victim or os.getpid()
        self._flushed: dict[str, int] = {}
        self._open: set[str] = set()
        self._fsync = os.fsync
        os.fsync = self._flush
        self._sync = np.memmap.flush
        np.memmap.flush = lambda mapped: self._flush_mapped(mapped)  # noqa: PLW0108  (a method would take no file)
        sys.addaudithook(self._watch)

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and self._inside(arguments[0]) and arguments[2] & WRITING:
            self._reached()
            self._open.add(str(arguments[0]))
        elif event in CHANGES and (self._inside(arguments[0]) or not Path(arguments[0]).is_absolute()):
            self._reached()
            if event == "os.rename" and str(arguments[0]) in self._open:
                self._open.add(str(arguments[1]))

    def _inside(self, path: Any) -> bool:
        return isinstance(path, str | Path) and str(path).startswith(self._root)

    def _flush(self, handle: int) -> None:
        path = str(Path(f"/proc/self/fd/{handle}").readlink())
        if self._inside(path):
            self._reached()
        self._fsync(handle)
        self._open.discard(path)
        self._flushed[path] = os.fstat(handle).st_size

    def _flush_mapped(self, mapped: np.memmap) -> None:
        path = str(mapped.filename)
        if self._inside(path):
            self._reached()
        self._sync(mapped)
        self._open.discard(path)

    def _reached(self) -> None:
        self.count += 1
        if self.count == self._kill_at:
            self._kill_at = -1  # what follows is no point
            if self._victim != os.getpid():
                os.kill(self._victim, signal.SIGKILL)
                return
            for path in filter(Path.is_file, map(Path, self._open)):
                flushed = self._flushed.get(str(path), 0)
                os.truncate(path, flushed + (path.stat().st_size - flushed) // 2)
            os.kill(os.getpid(), signal.SIGKILL)


def few_steps(spec: dict[str, Any]) -> None:
    spec["substitutes"]["both-towers"] |= {"steps": 6, "refresh": 2}
    spec["substitutes"]["base/retriever"]["steps"] = 3


def head(spec: dict[str, Any]) -> None:
    spec["substitutes"]["both-towers"]["trains"] = "head"
    spec["substitutes"]["base/retriever"]["trains"] = "both-towers"
    spec["encoder"]["layers"] = 3


def few_words(spec: dict[str, Any]) -> None:
    spec["collections"]["simulation"]["parameters"] |= {
        "topics": 3, "train_queries": 40, "dev_queries": 5, "test_queries": 8,
    }  # fmt: skip


def train(root: Path) -> Path | None:
    """Make a run with all that it depends on; returns its folder, and none on the ranks that follow."""
    os.chdir(root)
    torch.set_num_threads(1)
    with (
        joined() as ranks,
        led(Stages(Store(root / "store"), Progress(quiet=True), means=Means(ranks))) as stages,
    ):
        if stages is None:
            return None
        resolved = resolve_at(Library.default(), TARGET, "simulation", stages)
        (run,) = plan(resolved, stages, 1, ["TriSampler"])
        return stages.run(run.settings, "run").folder.folder


def outcome(folder: Path) -> dict[str, Any]:
    """Return what must not depend on a crash."""
    result = json.loads((folder / "done.json").read_text())
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return {
        "weights": result["weights"],
        "best": result["best"],
        "per query": hashlib.sha256((folder / "per_query.parquet").read_bytes()).hexdigest(),
        "drawn": [result["drawn"], result["known_relevant_drawn"], result["diagnostics"]],
        "metrics": [{key: value for key, value in line.items() if not is_time(key)} for line in lines],
        "left": sorted(path.name for path in (folder / "checkpoints").iterdir()),
        "final": hashes(folder / "checkpoints/final", "*.safetensors"),
        "rankings": hashes(folder / "rankings", "*.trec.gz"),
        "states": hashes(folder.parents[1] / "states", "*/*.npy"),
    }


def hashes(folder: Path, pattern: str) -> dict[str, str]:
    """Return the hash of each file that a folder has."""
    found = sorted(folder.glob(pattern))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def fork(root: Path, kill_at: int, report: Path, place: str) -> int:
    """Train in a process of its own; returns how it ended.

    Args:
        root: where specs and store are.
        kill_at: number of the point at which it is killed; 0 for none.
        report: written at the end.
        place: below the root, where points are.
    """
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    try:
        make(root, Points(root / place, kill_at), report)
        os._exit(0)
    finally:
        os._exit(1)


def make(root: Path, points: Points, report: Path) -> None:
    """Make the run, and report what it ends with."""
    folder = train(root)
    if folder is not None:
        report.write_text(json.dumps({"points": points.count, "outcome": outcome(folder)}))


def fork_two(root: Path, kill_at: int, report: Path, victim: str) -> int:
    """Train on two ranks below a launcher; returns how this ended, once all three are gone.

    Args:
        root: where specs and store are.
        kill_at: number of the point of rank 0 at which one of the three is killed; 0 for none.
        report: written at the end.
        victim: which.
    """
    set_child_subreaper = 36
    ctypes.CDLL(None).prctl(set_child_subreaper, 1)  # ranks that lose their launcher become ours
    launcher = os.fork()
    if not launcher:
        try:
            os._exit(launch_two(root, kill_at, report, victim))
        finally:
            os._exit(1)
    ended = os.waitstatus_to_exitcode(os.waitpid(launcher, 0)[1])
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return ended


def launch_two(root: Path, kill_at: int, report: Path, victim: str) -> int:
    """Start two ranks, and end the other when one is lost, as torch's launcher does; 1 if any was."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    processes, lost = {"launcher": os.getpid()}, False
    for rank in (1, 0):
        process = os.fork()
        if not process:
            processes[f"rank-{rank}"] = os.getpid()
            try:
                join(rank, port)
                at = 0 if rank else kill_at
                make(root, Points(root, at, processes[victim] if at else None), report)
                os._exit(0)
            finally:
                os._exit(1)
        processes[f"rank-{rank}"] = process
    left = {processes["rank-0"], processes["rank-1"]}
    while left:
        process, status = os.wait()
        left.remove(process)
        lost |= status != 0
        for other in left if status else ():
            os.kill(other, signal.SIGTERM)
    return int(lost)


def join(rank: int, port: int) -> None:
    """Be a process that a launcher has started."""
    on_signals()
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "killed", "MASTER_ADDR": "localhost", "MASTER_PORT": str(port),
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
    }  # fmt: skip


def main(folder: Path, sample: int | None, below: str = "", victim: str = "") -> dict[str, Any]:
    place = Place(folder / "specs")
    edit(place.root / "experiments/scales/simulation.yaml", few_steps)
    edit(place.root / "experiments/datasets/ms-pas.yaml", few_words)
    report, different, place_of_points = folder / "outcome.json", {}, ""
    if below:
        edit(place.root / "experiments/scales/simulation.yaml", head)
        states_module.length_buckets = functools.partial(length_buckets, places=1024)
        place_of_points = f"store/{below}"
    environment = describe_environment()
    stages_module.describe_environment = lambda: environment
    for lazy in (transformers.BertModel, transformers.AutoModel, transformers.AutoTokenizer):
        assert isinstance(lazy, type)  # named, and with that imported here and not in each fork

    def made(root: Path, kill_at: int, whom: str) -> int:
        report.unlink(missing_ok=True)
        if victim:
            return fork_two(root, kill_at, report, whom)
        return fork(root, kill_at, report, place_of_points)

    def trial(kill_at: int, whom: str = "") -> Any:
        root = folder / f"killed-at-{kill_at}"
        shutil.copytree(place.root, root)
        ended = [made(root, kill_at, whom)]
        if kill_at:
            ended.append(made(root, 0, whom))
        killed_as = 1 if whom.startswith("rank-") else -signal.SIGKILL
        whole = ended == ([killed_as, 0] if kill_at else [0])
        trial_outcome = json.loads(report.read_text()) if whole else {"outcome": f"ended with {ended}"}
        if whole:
            shutil.rmtree(root)
        return trial_outcome

    reference = trial(0)
    every = list(range(1, reference["points"] + 1))
    killed = every if sample is None else every[len(every) // (2 * sample) :: len(every) // sample][:sample]
    for number, point in enumerate(killed):
        trial_outcome = trial(point, VICTIMS[number % len(VICTIMS)] if victim == IN_TURN else victim)
        if trial_outcome["outcome"] != reference["outcome"]:
            different[point] = trial_outcome["outcome"]
    return {"points": len(every), "killed": killed, "different": different}


if __name__ == "__main__":
    trained_in, sampled, below_or_victim = [*sys.argv[1:], *["0", ""][len(sys.argv) - 2 :]]
    of_ranks = below_or_victim in {*VICTIMS, IN_TURN}
    below_place, killed_one = ("", below_or_victim) if of_ranks else (below_or_victim, "")
    summary = main(Path(trained_in).resolve(), int(sampled) or None, below_place, killed_one)
    print(json.dumps(summary, indent=1))
