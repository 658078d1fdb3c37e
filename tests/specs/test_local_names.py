"""Fields of settings that name files of this machine: ``~`` is a home, and no fingerprint knows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.negatives.sources.denoised import Denoised
from harness.negatives.sources.file import File
from harness.pieces import by_content, settings_of
from harness.specs.checkpoint_content import by_start
from harness.specs.settings import CheckpointSettings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder/config.json").write_text("{}")
    (tmp_path / "ranked.trec").write_text("q Q0 d 1 1.0 run")
    return tmp_path


def test_a_start_in_a_home_is_the_folder_and_has_its_fingerprint(home: Path) -> None:
    short, whole = (CheckpointSettings(start=at, pooling=None) for at in ("~/encoder", str(home / "encoder")))
    assert short == whole
    assert by_start(short.model_dump()) == by_start(whole.model_dump())


def test_files_of_sources_in_a_home_are_found_and_hashed(home: Path) -> None:
    short, whole = (File(path=at) for at in ("~/ranked.trec", str(home / "ranked.trec")))
    assert short.lacks() is None and File(path="~/other.trec").lacks() is not None
    assert by_content(settings_of(short)) == by_content(settings_of(whole)) != settings_of(whole)
    assert Denoised(of=whole, ranker="~/ranked.trec").ranker == str(home / "ranked.trec")


@pytest.mark.parametrize("name", ["fresh", "some/encoder", "./encoder", "a/~b", "a//b"])
def test_other_names_stay_as_they_are_written(home: Path, name: str) -> None:
    assert CheckpointSettings(start=name, pooling=None).start == name


def test_the_home_of_nobody_is_refused(home: Path) -> None:
    with pytest.raises(ValidationError, match="begins with the home of nobody"):
        CheckpointSettings(start="~no-such-user-here/encoder", pooling=None)
