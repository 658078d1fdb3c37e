"""MLflow over HTTP: stopped before, killed during and restarted after a run, hanging, failing."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pandas as pd
import pytest

from harness.records import mirror_thread
from harness.records.mirror_thread import MirrorThread, ServerError
from harness.records.mlflow_mirror import MlflowMirror
from harness.records.run_folder import RunFolder
from tests.mlflow_server import Server, check_all_held, runs_at
from tests.place import TARGET, Place

TAGS = {"target": TARGET, "row": "TriSampler"}
OF_TARGET = (TARGET, "--scale", "simulation", "--seeds", "1")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "server")
    yield made
    made.kill()


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a server that accepts connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def failing() -> Iterator[str]:
    """The address of a server that answers all calls with an error of its own."""

    class Failing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(500, "no room")

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Failing) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def until(reached: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def train(folder: RunFolder, steps: range) -> None:
    for step in steps:
        folder.log("continued", step, loss=1 / (step + 1), norm=0.5 * step)
    folder.settle()


@pytest.mark.slow
def test_a_server_away_before_killed_during_and_back_after_a_run_lacks_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_thread, "PAUSE_S", 0.05)
    live = MlflowMirror(server.uri, "trisampler")
    thread = MirrorThread(lambda path: live.write(path, TAGS))
    folder = RunFolder(tmp_path / "0123456789abcdef", thread.note)
    folder.describe({"seed": 1}, [], {"commit": "c0ffee"})
    train(folder, range(50))
    until(lambda: bool(thread._failed))
    server.start()
    until(lambda: bool(live._known) and live._known[folder.folder.name].lines == 50)
    train(folder, range(50, 75))
    server.kill()
    train(folder, range(75, 2000))
    (folder.folder / "rankings").mkdir()
    (folder.folder / "rankings/test.trec.gz").write_bytes(b"ranking")
    scores = pd.DataFrame({"split": "test", "measure": "RR@10", "query": ["a", "b"], "value": [0.0, 1.0]})
    scores.to_parquet(folder.folder / "per_query.parquet")
    folder.finish({"measures": ["RR@10"]})
    thread.note(folder.folder)
    assert set(thread.finish()) == {folder.folder}
    with pytest.raises(ServerError):
        MlflowMirror(server.uri, "trisampler").write(folder.folder, TAGS)
    server.start()
    for _ in range(2):
        MlflowMirror(server.uri, "trisampler").write(folder.folder, TAGS)
        check_all_held(server.uri, [folder.folder])


def test_training_does_not_wait_for_a_server_that_hangs(
    hanging: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_thread, "PATIENCE_S", 1.0)
    mirror = MlflowMirror(hanging, "trisampler")
    asked = threading.Event()
    thread = MirrorThread(lambda path: (asked.set(), mirror.write(path, TAGS))[1])
    folder = RunFolder(tmp_path / "0123456789abcdef", thread.note)
    folder.describe({"seed": 1}, [], {})
    train(folder, range(1))
    assert asked.wait(10)
    for step in range(1, 51):
        folder.log("continued", step, loss=0.5)
        begin = time.perf_counter()
        thread.note(folder.folder)
        assert time.perf_counter() - begin < 0.2
    assert set(thread.finish()) == {folder.folder}


def test_a_server_that_fails_is_one_line(failing: str, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "0123456789abcdef")
    folder.describe({"seed": 1}, [], {})
    train(folder, range(1))
    with pytest.raises(ServerError, match="500") as told:
        MlflowMirror(failing, "trisampler").write(folder.folder, TAGS)
    assert "\n" not in str(told.value)


def begin(place: Place, uri: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        place.command(*arguments),
        cwd=place.root,
        env=place.environment() | {"MLFLOW_TRACKING_URI": uri},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, errors = process.communicate(timeout=300)
    return process.returncode, out, errors


def folders(place: Place) -> list[Path]:
    found = list((place.root / "store/runs").iterdir())
    assert len(found) == 4
    return found


@pytest.mark.slow
def test_a_table_made_without_its_server_is_synced_by_two_at_once(server: Server, tmp_path: Path) -> None:
    place = Place(tmp_path)
    code, _, errors = ended(begin(place, server.uri, "reproduce", *OF_TARGET))
    assert code == 0, errors
    assert "4 run(s) are not all in MLflow" in errors
    assert f"`harness sync {' '.join(OF_TARGET)}` writes them" in errors
    code, out, errors = ended(begin(place, server.uri, "sync", *OF_TARGET))
    assert (code, out) == (1, "") and len(errors.splitlines()) == 2
    assert f"\nerror: MLflow at {server.uri}" in errors and "0 of 4 run(s) are there" in errors
    server.start()
    for uri in (server.uri, f"sqlite:///{tmp_path / 'fresh/mlflow.db'}"):
        for process in [begin(place, uri, "sync", *OF_TARGET) for _ in range(2)]:
            assert ended(process)[:2] == (0, f"4 run(s) are in {uri}\n")
        check_all_held(uri, folders(place))


@pytest.mark.slow
def test_a_server_killed_while_a_table_is_made_is_filled_by_sync(server: Server, tmp_path: Path) -> None:
    place = Place(tmp_path)
    server.start()
    process = begin(place, server.uri, "reproduce", *OF_TARGET)
    until(lambda: bool(runs_at(server.uri)), 120)
    server.kill()
    code, _, errors = ended(process)
    assert code == 0, errors
    assert "harness sync" in errors
    server.start()
    for _ in range(2):
        done = ended(begin(place, server.uri, "sync", *OF_TARGET))
        assert done == (0, f"4 run(s) are in {server.uri}\n", "")
        check_all_held(server.uri, folders(place))


@pytest.mark.slow
def test_a_table_is_made_though_its_server_hangs(hanging: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    code, out, errors = ended(begin(place, hanging, "reproduce", *OF_TARGET))
    assert code == 0, errors
    assert "Trained 4 run" in out and "4 run(s) are not all in MLflow" in errors
