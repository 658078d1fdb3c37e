"""Arrays that are written part by part, and arrays larger than memory should hold."""

from __future__ import annotations

import errno
import os
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from harness.errors import UserError
from harness.storage.arrays import array_written, zeros
from harness.storage.disk import DiskFullError
from harness.storage.members import Mapped, write_member, zip_written


@pytest.mark.parametrize("parts", [[], [[]], [[1, 2], [3]], [range(100_000), range(7)]])
def test_parts_make_the_file_that_numpy_writes_of_the_whole(tmp_path: Path, parts: list[list[int]]) -> None:
    with array_written(tmp_path / "parts.npy", np.int32) as write:
        for part in parts:
            write(np.array(part))
    whole = [number for part in parts for number in part]
    np.save(tmp_path / "whole.npy", np.array(whole, dtype=np.int32))
    assert (tmp_path / "parts.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_a_large_array_is_mapped_from_a_file_that_leaves_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path))
    monkeypatch.setenv("HARNESS_MEMORY", "0.001")
    small, large = zeros((100, 10), np.float32), zeros((1000, 1000), np.float32)
    assert not small.any() and not large.any() and type(large) is np.ndarray
    large[:] = 1
    assert large.sum() == 1e6
    assert not list((tmp_path / "scratch").iterdir())
    mapped = Path(f"/proc/{os.getpid()}/maps")
    if mapped.exists():
        assert str(tmp_path / "scratch") in mapped.read_text()
        del large
        assert str(tmp_path / "scratch") not in mapped.read_text()


def test_a_disk_without_room_is_told_before_it_is_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path))
    monkeypatch.setenv("HARNESS_MEMORY", "0")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=150_000_000))
    with pytest.raises(DiskFullError, match=r"needs 80\.0 MB"):
        zeros((10_000_000,), np.float64)


@pytest.mark.parametrize("reserve", [None, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_system_that_cannot_reserve_room_maps_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reserve: int | None
) -> None:
    def refused(*_: int) -> None:
        raise OSError(reserve, "not supported")

    monkeypatch.setenv("HARNESS_STORE", str(tmp_path))
    monkeypatch.setenv("HARNESS_MEMORY", "0")
    if reserve is None:
        monkeypatch.delattr(os, "posix_fallocate")
    else:
        monkeypatch.setattr(os, "posix_fallocate", refused)
    mapped = zeros((1000, 3), np.float32)
    mapped[-1] = 2
    assert mapped.sum() == 6


@pytest.mark.parametrize("given", ["much", "-1", "nan", "inf", "2 GiB"])
def test_a_memory_that_is_no_number_is_told(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("HARNESS_MEMORY", given)
    with pytest.raises(UserError, match=f"HARNESS_MEMORY: '{given}' is no number of GiB"):
        zeros((1,), np.float32)


def test_members_are_mapped_where_they_lie(tmp_path: Path) -> None:

    hole = bytes(1 << 20)
    with zip_written(tmp_path / "a.zip") as archive:
        write_member(archive, "first.bytes", (hole for _ in range(3)))
        write_member(archive, "second.bytes", [b"abc", b"def"])

    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        mapped = Mapped(archive, tmp_path / "a.zip")
        assert mapped.array("second.bytes", np.uint8).tobytes() == b"abcdef"
        assert len(mapped.array("first.bytes", np.uint8)) == 3 << 20
