"""A place that cannot be used is one line, and names the place."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.storage.files import read_json, write_json
from harness.storage.unusable import PlaceError, check_writable, place_as_error
from tests.place import CHECKOUT, Place


def run(*arguments: str, out: str = os.devnull, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that writes its output to a file or device."""
    with open(out, "w") as stream:  # noqa: PTH123  (a device)
        return subprocess.run(
            [sys.executable, "-m", "harness.cli", *arguments],
            cwd=CHECKOUT,
            env=os.environ | {"PYTHONPATH": str(CHECKOUT)} | variables,
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


def test_a_file_in_the_place_of_the_store_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    (tmp_path / "experiments").symlink_to(CHECKOUT / "experiments")
    done = Place.at(tmp_path).say("plan", "simans/table-6", "--scale", "simulation")
    assert done.code == 2
    *_, line = done.err.splitlines()  # the first names the store
    assert line.startswith("error: store: ") and "no folder" in line and "move it away" in line


def test_a_full_device_behind_standard_output_is_no_full_disk() -> None:
    done = run("methods", out="/dev/full")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: standard output could not be written (No space left on device)")
    assert "disk" not in line


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ELOOP, errno.ENAMETOOLONG])
def test_whatever_is_wrong_with_a_place_is_told(number: int) -> None:
    with pytest.raises(PlaceError, match=f"/x/y: cannot be used .{os.strerror(number)}"), place_as_error():
        raise OSError(number, os.strerror(number), "/x/y")


def test_what_names_no_place_or_a_full_disk_is_told_elsewhere() -> None:
    for error in (ConnectionResetError(errno.ECONNRESET, "reset"), OSError(errno.ENOSPC, "full", "/x")):
        with pytest.raises(OSError) as raised, place_as_error():
            raise error
        assert raised.value is error


def test_a_folder_is_tried_before_work_begins_and_left_as_it_was(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")
    assert not (tmp_path / "a" / "b").exists()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    for place in ("file", "file/below", "loop"):
        with pytest.raises(OSError, match=place):
            check_writable(tmp_path / place)


def test_half_a_letter_in_a_path_comes_back_the_same(tmp_path: Path) -> None:
    path = os.fsdecode(b"/tmp/\xff\xfe")
    write_json(tmp_path / "x.json", {"path": path})
    assert read_json(tmp_path / "x.json") == {"path": path}


def test_a_folder_or_nonsense_in_the_place_of_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "long.json").write_text("9" * 5000)
    for name, what in [("folder", "Is a directory"), ("deep", "corrupt"), ("long", "corrupt")]:
        with pytest.raises(Exception, match=rf"{name}\.json: .*{what}"):
            read_json(tmp_path / f"{name}.json")
