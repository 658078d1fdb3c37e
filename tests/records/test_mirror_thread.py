"""Who trains never waits for a mirror, and what is not mirrored is told."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.records import mirror_thread
from harness.records.mirror_thread import MirrorThread, ServerError

A, B = Path("runs/a"), Path("runs/b")


class Server:
    """What a mirror writes to; each folder's failure is raised until it is taken away."""

    def __init__(self) -> None:
        self.written: list[Path] = []
        self.failures: dict[Path, Exception] = {}
        self.asked = 0

    def write(self, folder: Path) -> None:
        self.asked += 1
        if folder in self.failures:
            raise self.failures[folder]
        self.written.append(folder)


@pytest.fixture
def server() -> Server:
    return Server()


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_what_is_noted_is_written_in_order_and_news_of_a_folder_once(server: Server) -> None:
    begin, go = threading.Event(), threading.Event()

    def write(folder: Path) -> None:
        begin.set()
        assert go.wait(10)
        server.write(folder)

    mirror = MirrorThread(write)
    mirror.note(A)
    assert begin.wait(10)
    for folder in (A, B, A, B):  # A has news while it is being written
        mirror.note(folder)
    go.set()
    assert mirror.finish() == {}
    assert server.written == [A, A, B]


def test_noting_takes_no_time_and_the_end_is_patient_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror_thread, "PATIENCE_S", 0.2)
    never = threading.Event()
    mirror = MirrorThread(lambda folder: never.wait())
    begin = time.perf_counter()
    for _ in range(100):
        mirror.note(A)
    mirror.note(B)
    assert (time.perf_counter() - begin) / 101 < 0.01
    left = mirror.finish()
    assert set(left) == {A, B} and "no answer for 0.2 s" in left[B]
    never.set()


def test_a_server_that_answers_slowly_is_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror_thread, "PATIENCE_S", 1.0)

    def write(folder: Path) -> None:
        for _ in range(5):
            time.sleep(0.3)
            mirror.answered()
        server.write(folder)

    mirror = MirrorThread(write)
    mirror.note(A)
    assert mirror.finish() == {} and server.written == [A]


def test_a_server_that_failed_is_asked_again_after_a_pause(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mirror_thread, "PAUSE_S", 0.01)
    server.failures = {A: ServerError("MLflow is away")}
    mirror = MirrorThread(server.write)
    with caplog.at_level(logging.WARNING):
        mirror.note(A)
        until(lambda: server.asked >= 3)
        server.failures = {}
        until(lambda: bool(server.written))
    assert mirror.finish() == {} and server.written == [A]
    assert [record.message.split(";")[0] for record in caplog.records] == ["MLflow is away"]


def test_within_the_pause_nobody_asks_and_at_the_end_one_more_time(server: Server) -> None:
    server.failures = {A: ServerError("away"), B: ServerError("away")}
    mirror = MirrorThread(server.write)
    for folder in (A, B, A):
        mirror.note(folder)
        until(lambda: server.asked == 1)
    assert mirror.finish() == {A: "away", B: "away"}
    assert server.asked == 2


def test_a_corrupt_folder_does_not_keep_others_from_being_written(server: Server) -> None:
    server.failures = {A: UserError("corrupt line")}
    mirror = MirrorThread(server.write)
    mirror.note(A)
    mirror.note(B)
    until(lambda: server.written == [B])
    assert mirror.finish() == {A: "corrupt line"}


HUNG = """
import threading, sys
from pathlib import Path
from harness.records.mirror_thread import MirrorThread
begin = threading.Event()
mirror = MirrorThread(lambda folder: (begin.set(), threading.Event().wait()))
mirror.note(Path("a"))
begin.wait()
raise KeyboardInterrupt
"""


def test_an_interrupt_does_not_wait_for_a_server_that_hangs() -> None:
    path = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", HUNG],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert "KeyboardInterrupt" in done.stderr and done.returncode != 0
