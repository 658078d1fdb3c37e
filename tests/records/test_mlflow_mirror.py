"""The mirror holds what the folder holds, however often and whenever it is synced."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.records import mlflow_mirror
from harness.records.mlflow_entries import flatten, metric_name, whole_lines
from harness.records.mlflow_mirror import MlflowMirror, without_password

TAGS = {"target": "trisampler/table-5", "row": "Uniform Sampling"}


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One fresh database for the module: making its tables takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / tmp_path.name  # a folder's name is its fingerprint, so one a test
    made.mkdir()
    (made / "spec.json").write_text(
        json.dumps({"encoder": {"hidden": 128}, "long": "x" * 9000, "seeds": [1, 2]})
    )
    return made


def append(folder: Path, steps: range) -> None:
    with (folder / "metrics.jsonl").open("a") as stream:
        for step in steps:
            line = {
                "phase": "warm-up",
                "step": step,
                "time": 1e9 + step,
                "loss": 1 / (step + 1),
                "RR(rel=2)@10": 0.1,
            }
            stream.write(json.dumps(line) + "\n")


def finish(folder: Path) -> None:
    (folder / "environment.json").write_text("{}")
    (folder / "rankings").mkdir()
    (folder / "rankings" / "test.trec.gz").write_bytes(b"ranking")
    (folder / "done.json").write_text(json.dumps({"measures": {"RR(rel=2)@10": 0.3}, "text": "no metric"}))


def held(mirror: MlflowMirror, folder: Path) -> Any:
    """The one MLflow run of the folder."""
    client = mirror._client
    runs = client.search_runs([mirror._experiment_id], f"tags.fingerprint = '{folder.name}'")
    assert len(runs) == 1
    return runs[0]


def history(mirror: MlflowMirror, folder: Path, metric: str) -> list[tuple[int, float, int]]:
    run_id = held(mirror, folder).info.run_id
    return sorted((m.step, m.value, m.timestamp) for m in mirror._client.get_metric_history(run_id, metric))


def test_a_run_is_mirrored_while_it_trains_and_closed_when_done(uri: str, folder: Path) -> None:
    mirror = MlflowMirror(uri, "harness")
    append(folder, range(3))
    assert mirror.sync(folder, TAGS)
    run = held(mirror, folder)
    assert run.info.status == "RUNNING"
    assert run.data.params["encoder.hidden"] == "128"
    assert len(run.data.params["long"]) == 6000
    assert run.data.tags["row"] == "Uniform Sampling"
    append(folder, range(3, 5))
    finish(folder)
    assert mirror.sync(folder, TAGS)
    run = held(mirror, folder)
    assert run.info.status == "FINISHED"
    assert history(mirror, folder, "warm-up/loss") == [(s, 1 / (s + 1), 1000 * (10**9 + s)) for s in range(5)]
    assert run.data.metrics["result/measures.RR_rel_2_at_10"] == 0.3
    names = {item.path for item in mirror._client.list_artifacts(run.info.run_id)}
    assert names == {"spec.json", "environment.json", "done.json", "rankings"}
    assert (Path(uri.removeprefix("sqlite:///")).parent / "mlartifacts").is_dir()


def test_a_second_process_goes_on_where_the_first_stopped(uri: str, folder: Path) -> None:
    append(folder, range(2))
    assert MlflowMirror(uri, "harness").sync(folder, TAGS)
    append(folder, range(2, 4))
    finish(folder)
    for _ in range(2):
        mirror = MlflowMirror(uri, "harness")
        assert mirror.sync(folder, {**TAGS, "seed": "3"})
    assert [step for step, *_ in history(mirror, folder, "warm-up/loss")] == [0, 1, 2, 3]
    assert held(mirror, folder).data.tags["seed"] == "3"


def test_lines_that_were_sent_without_their_mark_are_not_doubled(uri: str, folder: Path) -> None:
    append(folder, range(4))
    mirror = MlflowMirror(uri, "harness")
    assert mirror.sync(folder, TAGS)
    mirror._client.set_tag(held(mirror, folder).info.run_id, "mirrored_lines", "1")  # as if cut off in a call
    again = MlflowMirror(uri, "harness")
    assert again.sync(folder, TAGS)
    assert len(history(again, folder, "warm-up/loss")) == 4


def test_many_lines_go_in_few_calls(uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(folder, range(1000))
    mirror = MlflowMirror(uri, "harness")
    mirror._connect()
    calls, log_batch = [], mirror._client.log_batch
    monkeypatch.setattr(mirror._client, "log_batch", lambda *a, **k: (calls.append(k), log_batch(*a, **k)))
    assert mirror.sync(folder, TAGS)
    assert len(calls) <= 5
    assert max(len(call["metrics"]) for call in calls) <= 1000
    assert len(history(mirror, folder, "warm-up/loss")) == 1000


def test_a_server_that_is_away_costs_one_warning_and_no_time(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(folder, range(2))
    mirror = MlflowMirror("http://user:secret@127.0.0.1:9", "harness")
    with caplog.at_level(logging.WARNING, logger="harness.records.mlflow_mirror"):
        assert not mirror.sync(folder, TAGS)
        monkeypatch.setattr(mirror, "_sync", lambda *_: pytest.fail("asked again within the pause"))
        assert not mirror.sync(folder, TAGS)
    assert len(caplog.records) == 1
    assert "harness sync" in caplog.text
    assert "secret" not in caplog.text


def test_after_the_pause_it_is_filled(
    uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    append(folder, range(2))
    mirror = MlflowMirror(uri, "harness")
    monkeypatch.setattr(mlflow_mirror, "RETRY_AFTER_S", 0.0)
    monkeypatch.setattr(mirror, "tracking_uri", "http://127.0.0.1:9")
    assert not mirror.sync(folder, TAGS)
    monkeypatch.setattr(mirror, "tracking_uri", uri)
    assert mirror.sync(folder, TAGS)
    assert len(history(mirror, folder, "warm-up/loss")) == 2


def test_an_address_without_scheme_is_refused() -> None:
    with pytest.raises(UserError, match=r"sqlite:///store/mlflow\.db"):
        MlflowMirror("mlflow.db", "harness")


def test_a_torn_last_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert whole_lines(path) == []
    path.write_text('{"step": 1}\n{"step": 2')
    assert whole_lines(path) == [{"step": 1}]


def test_names_and_params_are_what_mlflow_takes() -> None:
    assert metric_name("RR(rel=2)@10") == "RR_rel_2_at_10"
    assert metric_name("warm-up dev/nDCG@10") == "warm-up dev/nDCG_at_10"
    nested = {"a": {"b": 1, "c": None}, "d": [1, 2], "e": "text", "f": True, "g": 0.5}
    assert flatten(nested) == {"a.b": "1", "a.c": "null", "d": "[1, 2]", "e": "text", "f": "true", "g": "0.5"}
    assert flatten(nested, numbers=True) == {"a.b": "1", "g": "0.5"}
    assert without_password("postgresql://me:word@host/db") == "postgresql://***@host/db"
