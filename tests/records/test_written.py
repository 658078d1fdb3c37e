"""What is read from a run's folder is what that run wrote."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.errors import UserError
from harness.records.run_folder import RunFolder
from harness.runs.state import final_of
from harness.training.checkpoints import load_encoder
from tests.place import TARGET, Place

pytestmark = pytest.mark.usefixtures("undrawn")

Read = Callable[[Path], Any]

READERS: dict[str, Read] = {
    "done.json": lambda folder: RunFolder(folder).result(),
    "metrics.jsonl": lambda folder: list(RunFolder(folder).metrics()),
    "environment.json": lambda folder: RunFolder(folder).environment(),
    "per_query.parquet": lambda folder: RunFolder(folder).per_query(),
    "spec.json": lambda folder: harness.load_run(folder.name, store=folder.parents[1]),
    "links.json": lambda folder: harness.load_run(folder.name, store=folder.parents[1]),
    "rankings/test.trec.gz": lambda folder: harness.load_run(folder.name, store=folder.parents[1]).rankings(),
    "checkpoints/final/checksums.txt": lambda folder: load_encoder(folder / "checkpoints/final"),
}


@pytest.fixture
def runs(made: Place, tmp_path: Path) -> tuple[Path, Path]:
    """Two finished runs of one table."""
    one, other = made.copy(tmp_path / "place").runs("continued")[:2]
    return one, other


def read(name: str, folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        READERS[name](folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", READERS)
def test_another_runs_file_is_told(name: str, runs: tuple[Path, Path]) -> None:
    one, other = runs
    for folder in runs:
        READERS[name](folder)
    if name.startswith("checkpoints"):  # as somebody would copy it
        shutil.rmtree(final_of(other / "checkpoints"))
        shutil.copytree(final_of(one / "checkpoints"), final_of(other / "checkpoints"))
    elif name == "environment.json":  # runs of one machine have the same
        (other / name).write_text((one / name).read_text().replace('"threads": 1', '"threads": 64'))
    else:
        shutil.copy(one / name, other / name)
    said = read(name, other)
    assert (f"{other / name}: corrupt file (not as the run wrote it)" in said and f"in {other}" in said) or (
        f"delete the folder {other} and run again" in said
    )
    READERS[name](one)


@pytest.mark.parametrize("name", ["done.json", "metrics.jsonl", "environment.json", "spec.json"])
def test_a_single_flipped_bit_is_told(name: str, runs: tuple[Path, Path]) -> None:
    path = runs[0] / name
    content = bytearray(path.read_bytes())
    for place in range(0, len(content), max(1, len(content) // 40)):
        flipped = bytes([*content[:place], content[place] ^ 1, *content[place + 1 :]])
        path.write_bytes(flipped)
        assert "corrupt file (not as the run wrote it)" in read(name, runs[0])


def test_a_folder_of_another_run_is_told(runs: tuple[Path, Path]) -> None:
    one, other = runs
    shutil.rmtree(other)
    shutil.copytree(one, other)
    assert f"the files are those of run {one.name}; delete the folder {other}" in read("done.json", other)
    copied = shutil.copytree(one, one.parents[2] / "copied")  # anywhere but among the runs of a store
    assert RunFolder(copied).result() == RunFolder(one).result()


def test_what_is_told_mends_it(made: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = made.copy(tmp_path / "place")
    one, other, *_ = place.runs("continued")
    shutil.copy(one / "per_query.parquet", other)
    (one / "environment.json").unlink()
    command = ("reproduce", TARGET, "--scale", "simulation", "--seeds", "1")
    assert place.call(monkeypatch, *command) == 2
    (other / "per_query.parquet").unlink()
    (other / "done.json").unlink()
    shutil.rmtree(one)
    assert place.call(monkeypatch, *command) == 0
    assert (place.results / "cells.json").read_bytes() == (made.results / "cells.json").read_bytes()
    RunFolder(one).environment()


def test_a_run_of_before_is_read(runs: tuple[Path, Path]) -> None:
    (runs[0] / "written.json").unlink()
    for reader in READERS.values():
        reader(runs[0])
