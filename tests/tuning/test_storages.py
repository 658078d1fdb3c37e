"""Storages of studies: each that cannot be opened is one line, and following it helps."""

from __future__ import annotations

import shlex
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import optuna
import pytest

from harness.errors import UserError
from harness.storage.store import Store
from harness.tuning import storages
from harness.tuning.storages import open_storage


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def trials(store: Store) -> Callable[[str | None], int]:
    """Run a trial, and count those there are."""

    def run(given: str | None) -> int:
        storage = open_storage(given, store)
        study = optuna.create_study(storage=storage, study_name="a", load_if_exists=True)
        study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
        return len(study.trials)

    return run


def refused(store: Store, given: str | None) -> UserError:
    with pytest.raises(UserError) as error:
        open_storage(given, store)
    assert "\n" not in str(error.value)
    return error.value


@pytest.mark.parametrize("torn", ["end", "end and gone on", "middle", "no record"])
def test_a_torn_journal_is_told_and_goes_on_when_the_line_is_removed(
    torn: str, tmp_path: Path, store: Store, trials: Callable[[str | None], int]
) -> None:
    journal = tmp_path / "it's a journal.log"
    assert trials(str(journal)) == 1
    whole = journal.read_bytes()
    first, *rest = whole.splitlines(keepends=True)
    damaged = {
        "end": (whole[:-20], len(rest) + 1),
        "end and gone on": (whole[:-20] + rest[-1], len(rest) + 1),
        "middle": (b"".join([first, rest[0][:9] + b"\n", *rest]), 2),
        "no record": (whole + b"3\n", len(rest) + 2),
    }
    content, line = damaged[torn]
    journal.write_bytes(content)
    error = refused(store, str(journal))
    assert error.where == f"{journal}:{line}" and "torn" in error.what
    subprocess.run(shlex.split(str(error.fix).removeprefix("remove the line: ")), check=True)
    assert trials(str(journal)) == 2


def test_a_database_given_as_a_journal_is_opened_by_the_address_that_is_told(
    tmp_path: Path, store: Store, trials: Callable[[str | None], int]
) -> None:
    assert trials(None) == 1
    error = refused(store, str(store.root / "tuning.db"))
    assert trials(str(error.fix).removeprefix("write ")) == 2


def test_a_journal_given_as_a_database_is_opened_by_its_path(
    tmp_path: Path, store: Store, trials: Callable[[str | None], int]
) -> None:
    journal = tmp_path / "journal.log"
    assert trials(str(journal)) == 1
    error = refused(store, f"sqlite:///{journal}")
    assert "give the path of a journal file" in str(error)
    assert trials(str(journal)) == 2


def test_a_folder_is_no_journal_and_a_file_in_it_is(
    tmp_path: Path, store: Store, trials: Callable[[str | None], int]
) -> None:
    error = refused(store, str(tmp_path))
    assert trials(str(error.fix).removeprefix("give a file in it: ")) == 1


@pytest.mark.parametrize("given", ["/proc/journal.log", "/dev/null/journal.log"])
def test_a_place_without_rights_is_one_line(given: str, store: Store) -> None:
    error = refused(store, given)
    assert error.where == given and "can be read and written" in str(error)


@pytest.mark.parametrize("given", ["nosql://me:word@host/x", "sqlite:////proc/x.db", "postgresql://me:word@"])
def test_an_address_that_cannot_be_opened_is_one_line_without_its_password(given: str, store: Store) -> None:
    error = refused(store, given)
    assert str(error).startswith("--storage ") and "cannot be opened" in str(error)
    assert "word" not in str(error)


@pytest.mark.parametrize("version", ["v2.4.0.a", "v9.9.9.a"])
def test_the_stores_database_of_another_version_names_no_option_that_was_not_given(
    version: str, store: Store, trials: Callable[[str | None], int]
) -> None:
    assert trials(None) == 1
    database = store.root / "tuning.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("update alembic_version set version_num = ?", (version,))
    error = refused(store, None)
    assert error.where == str(database)
    assert "training and tables do not need it" in str(error)
    database.rename(database.with_suffix(".old"))
    assert trials(None) == 1


@pytest.mark.parametrize("name", ["what?", "50%41", "a#b", "{x}"])
def test_odd_letters_of_a_stores_path_are_letters(name: str, tmp_path: Path) -> None:
    open_storage(None, Store(tmp_path / name))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "tuning.db").is_file()


@pytest.mark.slow
def test_a_lock_that_a_dead_process_left_is_told_and_removed(
    tmp_path: Path,
    trials: Callable[[str | None], int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(storages, "SILENT_S", 0.1)
    monkeypatch.setattr(storages, "LEFT_S", 3)
    (tmp_path / "in").mkdir()
    assert trials("in/journal.log") == 1 and not caplog.messages
    (tmp_path / "in/journal.log.lock").symlink_to(tmp_path / "in/journal.log")
    assert trials("in/journal.log") == 2
    [told] = caplog.messages
    assert "waiting for" in told and "journal.log.lock" in told
