"""Which runs a mirror is told of, when, and as what."""

from __future__ import annotations

import json
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.progress import Progress
from harness.records import mirror_thread
from harness.records.mirror_thread import MirrorThread
from harness.records.mlflow_mirror import MlflowMirror
from harness.runs.stages import Stages
from harness.specs.fingerprints import Chain
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.storage.store import Store
from harness.targets.mirror import mirrored, run_tags, sync
from tests.place import TARGET
from tests.stores import EXPERIMENTS

pytestmark = pytest.mark.usefixtures("undrawn")


@dataclass(frozen=True)
class Used:
    row: str
    seed: int
    chain: Chain
    dataset: str = "ms-pas"


RESOLVED = resolve(Library(EXPERIMENTS), TARGET, "simulation")
START = (("tokens", "t"), ("base", "w0"))
USES = [
    Used("BM25", 0, Chain((("bm25", "b"),))),
    Used("Uniform Sampling", 0, Chain((*START, ("candidates", "c0"), ("run", "u0")))),
    Used("The same", 0, Chain((*START, ("candidates", "c0"), ("run", "u0")))),
    Used("AR2", 0, Chain((*START, ("run", "a0"), ("candidates", "c2"), ("run", "a1")))),
]


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stages:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Stages(Store(tmp_path / "store"), Progress(quiet=True))


def put(stages: Stages, fingerprint: str) -> Path:
    folder = stages.store.run(fingerprint)
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text("{}")
    (folder / "done.json").write_text(json.dumps({"finished": 1e9}))
    return folder


def test_tags_name_the_first_row_and_all_that_use_a_run() -> None:
    tags = run_tags(RESOLVED, USES)
    assert set(tags) == {"b", "u0", "a0", "a1", "w0"}
    shared = tags["u0"]
    assert (shared["row"], shared["seed"], shared["scale"]) == ("Uniform Sampling", "0", "simulation")
    assert shared["mlflow.runName"] == "Uniform Sampling, seed 0"
    assert shared[f"used_by.{TARGET}"] == "Uniform Sampling; The same"
    assert tags["w0"]["mlflow.runName"] == "base, seed 0"  # a run that no row of the target is
    assert tags["a0"]["row"] == "start of AR2"


def test_a_ranker_that_no_row_of_the_target_is_has_tags_of_its_own() -> None:
    links = (*START, ("candidates", "c0"), ("ranker", "k0"), ("candidates", "c0"), ("run", "t0"))
    tags = run_tags(RESOLVED, [Used("Taught", 3, Chain(links))])
    assert tags["k0"]["mlflow.runName"] == "ranker, seed 3"


def test_sync_writes_what_is_whole_and_names_what_is_corrupt(stages: Stages) -> None:
    put(stages, "b")
    put(stages, "w0")
    assert sync(stages, RESOLVED, USES).written == 2
    (put(stages, "u0") / "metrics.jsonl").write_text("torn\n")
    put(stages, "a1")
    with pytest.raises(HarnessError, match=r"(?s)1 of 4 run.*corrupt line"):
        sync(stages, RESOLVED, USES)
    shutil.rmtree(stages.store.run("u0"))
    found = sync(stages, RESOLVED, USES)
    assert (found.written, found.missing) == (3, 2)


def test_what_an_earlier_command_left_is_written_and_what_fails_is_told(
    stages: Stages, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written = []
    monkeypatch.setattr(MlflowMirror, "write", lambda self, folder, tags: written.append(folder.name))
    put(stages, "b")
    with mirrored(stages, RESOLVED, USES):
        put(stages, "a1")  # by another process
    assert set(written) == {"b", "a1"} and not caplog.records
    never = threading.Event()
    monkeypatch.setattr(MlflowMirror, "write", lambda *_: never.wait())
    monkeypatch.setattr(mirror_thread, "PATIENCE_S", 0.1)
    with mirrored(stages, RESOLVED, USES):
        pass
    [told] = caplog.messages
    assert told.startswith("2 run(s) are not all in MLflow (no answer for 0.1 s)")
    assert f"`harness sync {TARGET} --scale simulation --seeds 1` writes them" in told
    never.set()


def test_a_command_that_fails_does_not_wait(stages: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    never, begin = threading.Event(), time.monotonic()
    monkeypatch.setattr(MlflowMirror, "write", lambda *_: never.wait())
    put(stages, "b")
    with pytest.raises(KeyboardInterrupt), mirrored(stages, RESOLVED, USES):
        raise KeyboardInterrupt
    assert time.monotonic() - begin < mirror_thread.PATIENCE_S / 2
    never.set()


@pytest.mark.slow
def test_every_checkpoint_is_news(made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = made.copy(tmp_path / "place")
    for folder in [*place.runs("base"), *place.runs("continued")]:
        shutil.rmtree(folder)
    noted: list[tuple[str, int, bool]] = []

    def note(self: MirrorThread, folder: Path) -> None:
        metrics, kind = folder / "metrics.jsonl", json.loads((folder / "spec.json").read_text())["kind"]
        lines = len(metrics.read_text().splitlines()) if metrics.exists() else 0
        noted.append((kind, lines, (folder / "done.json").exists()))

    monkeypatch.setattr(MirrorThread, "note", note)
    assert place.call(monkeypatch, "reproduce", TARGET, "--scale", "simulation", "--seeds", "1") == 0
    assert {("base", lines, False) for lines in range(8, 65, 8)} | {("base", 64, True)} <= set(noted)
    assert len({lines for kind, lines, done in noted if kind == "continued" and not done}) >= 3
