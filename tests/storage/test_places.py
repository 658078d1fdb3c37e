"""Paths as users write them, and addresses of databases that lead back to their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.collections.beir import data_folder
from harness.errors import UserError
from harness.storage.places import database_address, sqlite_address, sqlite_file, written_path
from harness.storage.store import Store, local_results, published_results

NAMES = ("plain", "with space", "ünï", "a#b", "what?", "50%", "%41", "a?b=c&d", "{x}", "x:y@z", "quo'te\"")


@pytest.mark.parametrize("name", NAMES)
def test_an_address_leads_back_to_its_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / name / "mlflow.db"
    assert sqlite_file(sqlite_address(file)) == file


def test_an_address_whose_path_ends_at_a_question_mark_is_refused_with_one_that_works(tmp_path: Path) -> None:
    file = tmp_path / "what?" / "mlflow.db"
    with pytest.raises(UserError, match="no part of the path; write sqlite:///") as refused:
        sqlite_file(f"sqlite:///{file}")
    assert sqlite_file(str(refused.value.fix).removeprefix("write ")) == file
    assert sqlite_file(f"sqlite:///{tmp_path}/x.db?timeout=5") == tmp_path / "x.db"


@pytest.mark.parametrize("address", ["http://host:5000", "postgresql://u:p@h/db", "sqlite://", "file:///x"])
def test_what_is_in_no_file_has_none(address: str) -> None:
    assert sqlite_file(address) is None
    assert database_address(address) == address


def test_a_home_is_found_where_no_shell_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("HARNESS_STORE", "HARNESS_DATA", "HARNESS_RESULTS"):
        monkeypatch.setenv(variable, f"~/{variable}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///~/team/mlflow.db?timeout=5")
    assert Store.default().root == tmp_path / "HARNESS_STORE"
    assert data_folder("mine") == tmp_path / "HARNESS_DATA" / "mine"
    assert data_folder("~/mine") == tmp_path / "mine"
    assert (published_results(), local_results()) == (
        tmp_path / "HARNESS_RESULTS",
        tmp_path / "HARNESS_RESULTS/local",
    )
    assert Store.default().tracking_uri == f"sqlite:///{tmp_path}/team/mlflow.db?timeout=5"
    monkeypatch.setenv("HARNESS_STORE", "")
    assert Store.default().root == Path("store")


def test_the_home_of_nobody_is_one_line_whose_advice_works() -> None:
    with pytest.raises(UserError, match=r"HARNESS_STORE: .*nobody.*; write") as refused:
        written_path("~nobody-of-this-name/store", "HARNESS_STORE")
    assert "./~nobody-of-this-name/store" in str(refused.value)
    assert written_path("./~nobody-of-this-name/store", "HARNESS_STORE") == Path("~nobody-of-this-name/store")
