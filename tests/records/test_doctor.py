"""Each check finds its trouble and says what to type."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.records import doctor as doctor_module
from harness.records.doctor import (
    check_cuda,
    check_disk,
    check_faiss,
    check_pins,
    check_pydocs,
    check_python,
    check_store,
    check_torch,
    check_tracking,
    doctor,
)


def test_doctor_names_each_check_once_and_changes_nothing(tmp_path: Path) -> None:
    checks = doctor(tmp_path / "store", "sqlite:///" + str(tmp_path / "store" / "mlflow.db"))
    names = [check.name for check in checks]
    assert names == ["python", "faiss", "torch", "cuda", "pins", "store", "disk", "mlflow"]
    assert all(check.ok or check.fix for check in checks)
    assert list(tmp_path.iterdir()) == []


def test_python() -> None:
    assert check_python((3, 13)).ok
    assert check_python((3, 10)).fix == "use Python 3.11 or newer"


@pytest.mark.parametrize(
    ("own", "installed", "told"),
    [
        (None, {"faiss-gpu": "1.15.1"}, "torch is built for the CPU"),
        ("13.0", {"faiss-cpu": "1.15.1"}, "13.0, of torch; it searches on the GPU as well"),
        (
            "12.8",
            {"faiss-gpu": "1.15.1", "nvidia-cuda-runtime-cu12": "12.8.90"},
            "12.8, of torch and faiss-gpu",
        ),
        (
            "13.0",
            {"faiss-gpu": "1", "nvidia-cuda-runtime": "13.0.96", "nvidia-cuda-runtime-cu12": "12.9.79"},
            "two CUDA runtimes in one process: 13.0 of torch, and nvidia-cuda-runtime-cu12 12.9.79 of faiss",
        ),
    ],
)
def test_two_cuda_runtimes_are_told(
    monkeypatch: pytest.MonkeyPatch, own: str | None, installed: dict[str, str], told: str
) -> None:
    monkeypatch.setattr("torch.version.cuda", own)
    check = check_cuda(installed)
    assert check.ok and check.detail.startswith(told)


def test_cuda_is_not_known_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert check_cuda({"faiss-gpu": "1"}).detail == "not known without torch"


def test_exactly_one_faiss() -> None:
    assert check_faiss({"faiss-cpu": "1.12"}).ok
    assert check_faiss({"faiss-gpu": "1.14"}).ok
    neither, both = check_faiss({}), check_faiss({"faiss-cpu": "1", "faiss-gpu": "1"})
    assert not neither.ok and "pip install 'negative-sampling-harness[cpu]'" in neither.fix
    assert not both.ok and "pip uninstall faiss-cpu faiss-gpu" in both.fix


def test_torch_tells_threads_and_gpu() -> None:
    check = check_torch()
    assert check.ok
    assert "threads" in check.detail


def test_pins_that_differ_are_named(tmp_path: Path) -> None:
    path = tmp_path / "constraints.txt"
    path.write_text("# pins\nNumPy==2.0\nmarkdown_it==1.0\nabsent==9\n")
    assert check_pins(path, {"numpy": "2.0", "markdown-it": "1.0"}).detail == "2 packages as pinned"
    check = check_pins(path, {"numpy": "2.1", "markdown-it": "1.0"})
    assert not check.ok
    assert check.detail == "numpy 2.1 (pinned 2.0)"
    assert check_pins(tmp_path / "none.txt", {}).ok


def test_store_must_be_a_folder(tmp_path: Path) -> None:
    assert check_store(tmp_path / "a" / "b").ok
    (tmp_path / "file").write_text("")
    assert not check_store(tmp_path / "file").ok
    assert not check_store(tmp_path / "file" / "below").ok
    (tmp_path / "loop").symlink_to("loop")
    assert "mend the link" in str(check_store(tmp_path / "loop").fix)


def test_full_disk_says_how_much_to_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "FREE_BYTES", 10**18)
    check = check_disk(tmp_path)
    assert not check.ok
    assert "GB" in check.fix


def test_tracking_server_that_answers_and_one_that_is_away() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = f"http://user:secret@127.0.0.1:{server.getsockname()[1]}"
        here = check_tracking(address)
    away = check_tracking(address)
    assert here.ok
    assert not away.ok
    assert "harness sync" in away.fix
    assert "secret" not in here.detail + away.detail


def test_pydocs_reports_its_line_or_its_error() -> None:
    def differs() -> str:
        raise HarnessError("97.1 % of documents as in the manifest")

    assert check_pydocs(lambda: "100 %").detail == "100 %"
    check = check_pydocs(differs)
    assert not check.ok
    assert check.detail.startswith("97.1 %")
