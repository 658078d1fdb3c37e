"""An MLflow server as people run it, started and killed at will, and what it must hold of run folders."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.records.mlflow_entries import line_points, lines_from, metric_name

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "OMP_NUM_THREADS": "1",
}


class Server:
    """`mlflow server` over a database in a folder; its port stays the same when it is started again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._root.mkdir(parents=True, exist_ok=True)
        database, artifacts = f"sqlite:///{self._root / 'mlflow.db'}", str(self._root / "artifacts")
        place = ["--backend-store-uri", database, "--artifacts-destination", artifacts]
        address = ["--host", "127.0.0.1", "--port", str(self._port), "--workers", "1"]
        log = self._root / "server.log"
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *place, *address],
                stdout=stream,
                stderr=stream,
                env=os.environ | QUIET,
                start_new_session=True,
            )
        end = time.monotonic() + 120
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it with all its processes, if it runs."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=1) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False


def runs_at(uri: str) -> list[Any]:
    """Return all runs that are not deleted, in all experiments."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    return list(client.search_runs([found.experiment_id for found in client.search_experiments()]))


def check_all_held(uri: str, folders: list[Path]) -> None:
    """Check that MLflow holds one run for each folder, finished, with all lines and artifacts."""
    from mlflow import MlflowClient

    client, runs = MlflowClient(uri), runs_at(uri)
    assert sorted(run.data.tags["fingerprint"] for run in runs) == sorted(path.name for path in folders)
    for run in runs:
        folder = next(path for path in folders if path.name == run.data.tags["fingerprint"])
        assert run.info.status == "FINISHED"
        lines = [line for line, _ in lines_from(folder / "metrics.jsonl")]
        wanted = sorted(point for line in lines for point in line_points(line))
        names = {point.name for point in wanted}
        history = [point for name in names for point in client.get_metric_history(run.info.run_id, name)]
        assert sorted((p.key, p.value, p.timestamp, p.step) for p in history) == wanted
        result = json.loads((folder / "done.json").read_text())
        means = {metric_name(f"test/{measure}") for measure in result["measures"]}
        assert means <= run.data.metrics.keys()
        there = {item.path for item in client.list_artifacts(run.info.run_id)}
        there |= {item.path for item in client.list_artifacts(run.info.run_id, "rankings")}
        files = [path for path in [*folder.glob("*.*"), *folder.glob("rankings/*")] if path.is_file()]
        kept = {path.relative_to(folder).as_posix() for path in files} - {"metrics.jsonl"}
        assert kept | {"rankings"} == there
