"""A flipped byte is told by name before the file is used; once that is deleted, the same figures are made."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.collections.archive import load_collection, save_collection
from harness.collections.planted import build_planted
from harness.errors import UserError
from harness.storage.checksums import SUMS, check_folder, checksums
from harness.storage.files import read_parquet, write_parquet
from tests.cases import few
from tests.place import TARGET

pytestmark = pytest.mark.usefixtures("undrawn")

KINDS = {
    "collection": "store/collections/*.zip",
    "tokens": "store/tokens/*/documents.flat.npy",
    "tokenizer": "store/tokens/*/tokenizer/tokenizer.json",
    "final encoder": "store/runs/*/checkpoints/final/model.safetensors",
    "candidates of round 0": "store/candidates/*.npz",
    "candidates of the last round": "store/runs/*/candidates/round-0002.npz",
    "weights": "store/runs/*/checkpoints/step-*/model.safetensors",
    "optimizer": "store/runs/*/checkpoints/step-*/optimizer.pt",
}
TOLD = re.compile(r"error: (?P<file>[^:]+): .*; delete (it|the folder (?P<folder>\S+)) and run again[^\n]*\n")


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("kind", few(KINDS, "tokens"))
def test_a_flipped_byte_is_told_and_deleting_what_it_says_mends_it(
    made, interrupted, kind, tmp_path, monkeypatch, capsys
):
    place = interrupted.copy(tmp_path / "place")
    shutil.rmtree(place.root / "results")
    (victim,) = place.root.glob(KINDS[kind])
    flip(victim, victim.stat().st_size // 2)
    command = ("reproduce", TARGET, "--scale", "simulation", "--seeds", "1")
    assert place.call(monkeypatch, *command) == 2
    message = TOLD.search(capsys.readouterr().err)
    assert message and (place.root / message["file"]) == victim
    bad = place.root / (message["folder"] or message["file"])
    shutil.rmtree(bad) if bad.is_dir() else bad.unlink()
    assert place.call(monkeypatch, *command) == 0
    assert (place.results / "cells.json").read_bytes() == (made.results / "cells.json").read_bytes()


def test_a_flipped_byte_in_the_scores_of_a_finished_run_is_told_and_mended(
    made, tmp_path, monkeypatch, capsys
):
    place = made.copy(tmp_path / "place")
    shutil.rmtree(place.root / "results")
    victim = place.runs("bm25")[0] / "per_query.parquet"
    flip(victim, first_that_matters(victim))
    command = ("reproduce", TARGET, "--scale", "simulation", "--seeds", "1")
    assert place.call(monkeypatch, *command) == 2
    message = capsys.readouterr().err
    assert (
        f"{victim.relative_to(place.root)}: corrupt file (" in message
        and "delete it and done.json" in message
    )
    victim.unlink()
    victim.with_name("done.json").unlink()
    assert place.call(monkeypatch, *command) == 0
    assert (place.results / "cells.json").read_bytes() == (made.results / "cells.json").read_bytes()


def first_that_matters(path: Path) -> int:
    """Return a byte of which a flip is noticed; not every one of a parquet file means something."""
    whole = path.read_bytes()
    for place in range(len(whole) // 4, len(whole)):
        flip(path, place)
        try:
            read_parquet(path, "fix")
        except UserError:
            return place
        finally:
            path.write_bytes(whole)
    raise AssertionError("no byte matters")


def test_checksums_are_those_of_zip_files(tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/abc").write_bytes(b"abc")
    assert checksums(tmp_path) == ("00000000  empty\n352441c2  inner/abc\n")


def test_a_file_that_is_missing_or_a_torn_list_is_told(tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / SUMS).write_text(checksums(tmp_path))
    check_folder(tmp_path)
    (tmp_path / "a").unlink()
    with pytest.raises(UserError, match="a: file is missing; delete the folder"):
        check_folder(tmp_path)
    (tmp_path / "a").write_bytes(b"a")
    flip(tmp_path / SUMS, 5)
    with pytest.raises(UserError, match="a: corrupt file"):
        check_folder(tmp_path)


def test_every_byte_of_a_collection_is_watched_or_means_nothing(tmp_path):
    collection = build_planted(topics=2, train_queries=4, dev_queries=2, test_queries=2)
    save_collection(collection, tmp_path / "whole.zip")
    _flip_everywhere(tmp_path / "whole.zip", load_collection, collection.__eq__)


def test_every_byte_of_scores_is_watched_or_means_nothing(made, tmp_path):
    whole = pd.read_parquet(made.results / "per_query.parquet").iloc[::40].reset_index(drop=True)
    write_parquet(whole, tmp_path / "scores.parquet")
    assert read_parquet(tmp_path / "scores.parquet", "fix").equals(whole)
    _flip_everywhere(tmp_path / "scores.parquet", lambda path: read_parquet(path, "fix"), whole.equals)


def test_scores_without_a_checksum_were_made_before_there_were_some(tmp_path):
    whole = pd.DataFrame({"query": ["a"], "value": [0.5]})
    whole.to_parquet(tmp_path / "scores.parquet", index=False)
    assert read_parquet(tmp_path / "scores.parquet", "fix").equals(whole)


def test_every_byte_of_candidates_is_watched_or_means_nothing(made, tmp_path):
    from harness.negatives.mining import load_candidates, save_candidates

    path = next((made.root / "store/candidates").glob("*.npz"))
    save_candidates(load_candidates(path, path.stem).rows(np.arange(2)), tmp_path / "some.npz", "some")
    whole = load_candidates(tmp_path / "some.npz", "some")

    def same(other: object) -> bool:
        return all(
            np.array_equal(value, getattr(other, name), equal_nan=getattr(value, "dtype", None) == np.float32)
            for name, value in vars(whole).items()
        )

    _flip_everywhere(tmp_path / "some.npz", lambda path: load_candidates(path, "some"), same)


def _flip_everywhere(path: Path, load, same) -> None:
    """Flip every 7th byte, one at a time: reading either refuses the file or gives what was written."""
    whole, refused = path.read_bytes(), 0
    for place in range(0, len(whole), 7):
        path.write_bytes(whole)
        flip(path, place)
        try:
            assert same(load(path)), f"byte {place} changed what was read"
        except UserError:
            refused += 1
    assert refused > 0.5 * len(whole) / 7
