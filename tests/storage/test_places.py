"""Paths as users write them, and addresses of databases that lead back to their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.storage.files import atomic_folder, read_json, read_object, write_json, write_text
from harness.storage.leases import lease
from harness.storage.places import data_folder, database_address, sqlite_address, sqlite_file, written_path
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


@pytest.mark.parametrize("what", ["a file", "a link to itself", "a link to nothing"])
@pytest.mark.parametrize("below", ["store", "store/runs", "store/runs/a", "store/runs/a/rankings"])
def test_what_stands_in_the_place_of_a_folder_is_told_and_moved_away(
    below: str, what: str, tmp_path: Path
) -> None:
    place = tmp_path / below
    place.parent.mkdir(parents=True, exist_ok=True)
    if what == "a file":
        place.write_text("x")
    else:
        place.symlink_to(place if what == "a link to itself" else tmp_path / "nothing")
    writing: list[Callable[[], object]] = [
        lambda: write_text(tmp_path / "store/runs/a/rankings/test.qrels", "x"),
        lambda: atomic_folder(tmp_path / "store/runs/a/rankings/b").__enter__(),
        lambda: lease(tmp_path / "store/runs/a/rankings/c", "c", print).__enter__(),
    ]
    for write in writing:
        with pytest.raises(UserError, match="no folder, and one must be there; move it away and") as refused:
            write()
        assert refused.value.where == str(place)
    place.rename(tmp_path / "away")
    write_text(tmp_path / "store/runs/a/rankings/test.qrels", "x")


@pytest.mark.parametrize("name", ["product.json", "lease.lock", "lease.json"])
def test_a_folder_in_the_place_of_a_file_is_told(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()

    def write() -> None:
        write_json(tmp_path / "product.json", {})
        with lease(tmp_path / "lease", "it", print):
            pass

    with pytest.raises(UserError, match=f"{name}: cannot be .*; move it away and run again"):
        write()
    (tmp_path / name).rename(tmp_path / "away")
    write()


@pytest.mark.parametrize("content", ["", "[", "[" * 100_000, '"\\ud800', "{", "\0"])
def test_what_is_no_json_is_told(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UserError, match=r"a\.json: corrupt file \(.*\); delete it and run again") as refused:
        read_json(tmp_path / "a.json")
    assert "\n" not in str(refused.value)


def test_json_of_another_type_and_what_is_no_file_is_told(tmp_path: Path) -> None:
    for content in ("[]", "null", "3", '"x"'):
        (tmp_path / "a.json").write_text(content)
        with pytest.raises(UserError, match=r"corrupt file \(no JSON object\); give another"):
            read_object(tmp_path / "a.json", "give another")
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    for path in (tmp_path, tmp_path / "loop.json"):
        with pytest.raises(UserError, match="corrupt file"):
            read_json(path)


def test_a_database_that_links_to_itself_has_an_address(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").symlink_to(tmp_path / "mlflow.db")
    assert sqlite_file(sqlite_address(tmp_path / "mlflow.db")) == tmp_path / "mlflow.db"
