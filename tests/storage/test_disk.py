"""A full disk is one line, before or while something is written; what was written before is whole."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.storage import disk
from harness.storage.disk import DiskFullError, disk_full_as_error, is_full, space_for
from harness.storage.files import read_json, write_bytes, write_json
from harness.training.checkpoints import latest_checkpoint
from tests.place import TARGET
from tests.training.conftest import Bench, same

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bench"))


def test_a_product_that_would_fill_the_disk_is_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=150_000_000))
    with space_for("the checkpoint", tmp_path / "not/there", 50_000_000):
        pass
    with (
        pytest.raises(
            DiskFullError, match=r"checkpoint needs 50\.0 MB, and 100\.0 MB must remain free, but only 150"
        ),
        space_for("the checkpoint", tmp_path / "not/there", 50_000_001),
    ):
        raise AssertionError("begun")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_is_told_whatever_hides_it(tmp_path, number):
    def write() -> None:
        try:
            raise OSError(number, os.strerror(number))
        except OSError:
            raise RuntimeError("unexpected pos 704 vs 598") from None

    with (
        pytest.raises(DiskFullError, match="weights could not be written"),
        disk_full_as_error("weights", tmp_path),
    ):
        write()
    assert not is_full(OSError(errno.EACCES, "Permission denied"))


def test_a_failed_write_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path, monkeypatch):
    write_json(tmp_path / "x.json", {"a": 1})

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match=r"x\.json could not be written"):
        write_json(tmp_path / "x.json", {"a": 2})
    assert read_json(tmp_path / "x.json") == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_run_without_room_for_a_checkpoint_keeps_the_one_before_and_continues(bench, tmp_path, monkeypatch):
    whole = bench.encoder()
    bench.trainer(tmp_path / "whole", whole).run()
    stopped = bench.trainer(tmp_path / "parts", bench.encoder())

    def fill(done: int) -> None:
        if done == 11:
            monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=100_000_000))

    stopped.advance = fill
    with pytest.raises(DiskFullError, match="the checkpoint needs"):
        stopped.run()
    monkeypatch.undo()
    before = latest_checkpoint(tmp_path / "parts/checkpoints")
    assert before is not None and before.step == 6
    encoder = bench.encoder()
    bench.trainer(tmp_path / "parts", encoder).run()
    assert same(whole.weights(), encoder.weights())


def test_a_command_without_room_is_one_line_and_continues(made, interrupted, tmp_path, monkeypatch, capsys):
    place = interrupted.copy(tmp_path / "place")
    command = ("reproduce", TARGET, "--scale", "simulation", "--seeds", "1")
    with monkeypatch.context() as patch:
        patch.setattr(disk, "MARGIN_BYTES", 1 << 60)
        assert place.call(patch, *command) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "/checkpoints: the disk is full: the checkpoint needs" in errors[0]
    assert "set HARNESS_STORE" in errors[0]
    assert place.call(monkeypatch, *command) == 0
    assert (place.results / "cells.json").read_bytes() == (made.results / "cells.json").read_bytes()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False).returncode
    except FileNotFoundError:
        done = 1
    if done != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # a training run maps its candidates there


def test_a_disk_that_fills_up_in_training_leaves_the_checkpoint_before(
    bench, small_disk, tmp_path, monkeypatch
):
    whole = bench.encoder()
    bench.trainer(tmp_path / "whole", whole).run()
    monkeypatch.setattr(
        disk, "_free", lambda folder: 1 << 40
    )  # as if another process took the room meanwhile
    ballast = small_disk / "ballast"

    def fill(done: int) -> None:
        if done == 11:
            free = os.statvfs(small_disk)
            ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - 65536))

    stopped = bench.trainer(small_disk / "run", bench.encoder())
    stopped.advance = fill
    with pytest.raises(DiskFullError, match="the checkpoint could not be written"):
        stopped.run()
    ballast.unlink()
    before = latest_checkpoint(small_disk / "run/checkpoints")
    assert before is not None and before.step == 6
    assert [path.name for path in (small_disk / "run/checkpoints").iterdir()] == ["step-00000006"]
    encoder = bench.encoder()
    bench.trainer(small_disk / "run", encoder).run()
    assert same(whole.weights(), encoder.weights())


@pytest.mark.parametrize("product", ["bytes", "array", "weights", "optimizer"])
def test_whatever_writes_to_a_full_disk_is_told(small_disk, product):
    import numpy as np
    import torch
    from safetensors.torch import save_file

    def optimizer() -> None:
        with (small_disk / "o.pt").open("wb") as stream:
            torch.save({"a": torch.zeros(2_000_000)}, stream)

    write = {
        "bytes": lambda: write_bytes(small_disk / "b", bytes(8_000_000)),
        "array": lambda: np.save(small_disk / "x.npy", np.zeros(10**6)),
        "weights": lambda: save_file({"a": torch.zeros(2_000_000)}, small_disk / "m.safetensors"),
        "optimizer": optimizer,
    }[product]
    with pytest.raises(DiskFullError), disk_full_as_error(product, small_disk):
        write()


def test_the_folder_of_the_file_that_found_no_room_is_named(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    for named, place in (((str(elsewhere / "x.json"),), elsewhere), ((), tmp_path)):
        with pytest.raises(DiskFullError, match=f"^{place}: the disk is full"):  # noqa: SIM117  (one a line)
            with disk_full_as_error("x", tmp_path):
                raise OSError(errno.ENOSPC, "full", *named)


def test_an_error_among_its_own_causes_comes_to_an_end() -> None:
    one, other = ValueError("one"), OSError(errno.EACCES, "other")
    one.__context__, other.__cause__ = other, one
    assert not is_full(one)
    with pytest.raises(ValueError, match="one"), disk_full_as_error("a file", Path()):
        raise one
    other.errno = errno.ENOSPC
    assert is_full(one)
