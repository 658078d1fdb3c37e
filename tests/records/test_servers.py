"""Servers that answer without end, or never."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from harness.records import bounded_answers, mirror_thread
from harness.records.mirror_thread import ServerError
from harness.records.mlflow_analysis import record_analysis
from harness.records.mlflow_client import ask_server
from harness.records.mlflow_mirror import MlflowMirror

PART = b"x" * 100_000


class Endless(BaseHTTPRequestHandler):
    """Answers as long as anyone listens, but for /never, which it leaves open."""

    never = threading.Event()

    def do_GET(self) -> None:
        if self.path.startswith("/never"):
            self.never.wait()
            return
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(PART)
        except OSError:
            pass

    do_POST = do_GET  # noqa: N815  (the name that http.server asks for)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    Endless.never.set()
    server.shutdown()


def test_an_endless_answer_is_ended(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_answers, "LARGEST_ANSWER", 1_000_000)
    (tmp_path / "done.json").write_text("{}")
    with pytest.raises(ServerError, match="an answer of more than 1 MB"):
        MlflowMirror(address, "harness").write(tmp_path, {})
    with requests.get(address, stream=True, timeout=5) as streamed:
        parts = streamed.iter_content(len(PART))
        assert sum(len(next(parts)) for _ in range(20)) > 1_000_000


def test_a_server_that_hangs_is_given_up(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mirror_thread, "PATIENCE_S", 0.2)
    with pytest.raises(ServerError, match=r"MLflow at http://.*: no answer for 0\.2 s"):
        ask_server(f"{address}/never", lambda answered: Endless.never.wait())
    never = f"{address}/never"
    assert not record_analysis(never, "x", fingerprint="f", tags={}, numbers={}, files=[])
    assert "no answer for 0.2 s" in caplog.text


def test_a_server_that_answers_now_and_then_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror_thread, "PATIENCE_S", 0.3)
    pause = threading.Event()

    def slow(answered: object) -> str:
        for _ in range(4):
            pause.wait(0.15)
            answered()  # type: ignore[operator]
        return "done"

    assert ask_server("http://nowhere", slow) == "done"
    with pytest.raises(KeyError):
        ask_server("http://nowhere", lambda answered: {}["missing"])
