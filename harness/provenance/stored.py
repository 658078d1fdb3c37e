"""The runs of a store, read from their folders; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from harness.errors import UserError, nearest
from harness.records.written import check_written
from harness.runs.old_store import OLD_FIX, is_old
from harness.specs.fingerprints import Link
from harness.specs.run_settings import RunSettings, read_run_settings
from harness.storage.files import read_json
from harness.storage.places import written_path
from harness.storage.store import Store


@dataclass(frozen=True)
class StoredRun:
    """A run in a store.

    Attributes:
        folder: its folder, named by the run's fingerprint.
    """

    folder: Path

    @property
    def fingerprint(self) -> str:
        """Return the name of the folder."""
        return self.folder.name

    @property
    def state(self) -> Literal["done", "unfinished"]:
        """Return whether it is finished."""
        return "done" if (self.folder / "done.json").exists() else "unfinished"

    def settings(self) -> RunSettings:
        """Return its settings.

        Raises:
            UserError: spec.json is missing, corrupt, or of another version of the harness.
        """
        path = check_written(self.folder, "spec.json")
        try:
            return read_run_settings(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            fix = "name the folder of a run, or a fingerprint from `harness runs list`"
            raise UserError("file is missing", where=str(path), fix=fix) from error
        except (UnicodeDecodeError, ValidationError) as error:
            if is_old(self.folder):
                what = "made before phases had names, under a fingerprint that no run has now"
                raise UserError(what, where=str(self.folder), fix=OLD_FIX) from error
            what = f"not settings that this harness knows ({_first_line(error)})"
            raise UserError(
                what, where=str(path), fix="read it with the commit in environment.json"
            ) from error

    def links(self) -> list[Link] | None:
        """Return the links that its fingerprint hashes; none if the file is missing.

        Raises:
            UserError: links.json is corrupt.
        """
        path = check_written(self.folder, "links.json")
        if not path.exists():
            return None
        try:
            return [Link(**link) for link in read_json(path)]
        except TypeError as error:
            raise UserError(
                f"not the links of a run ({error})", where=str(path), fix="delete the run"
            ) from error

    def result(self) -> dict[str, Any]:
        """Return the content of done.json, empty if the run is unfinished."""
        return dict(read_json(check_written(self.folder, "done.json"))) if self.state == "done" else {}


def _first_line(error: UnicodeDecodeError | ValidationError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return str(error)
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"][1:]))  # its kind stands first
    return f"{key}: {first['msg']}" if key else first["msg"]


def stored_runs(store: Store) -> list[StoredRun]:
    """Return the runs of a store, sorted by fingerprint."""
    folders = sorted(path for path in (store.root / "runs").glob("[!.]*") if path.is_dir())
    return [StoredRun(path) for path in folders]


def size_bytes(path: Path) -> int:
    """Return the size of a file, or of all files in a folder."""
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())


def touched(path: Path) -> float:
    """Return when a file, or anything in a folder, was last written, in seconds since the epoch."""
    return max(file.stat().st_mtime for file in (path, *path.rglob("*")))


def find_run(store: Store, name: str) -> StoredRun:
    """Return the run of a fingerprint, or of a prefix that only it has.

    Raises:
        UserError: there is no such run, or several.
    """
    runs = stored_runs(store)
    matches = [run for run in runs if run.fingerprint == name] or [
        run for run in runs if name and run.fingerprint.startswith(name)
    ]
    if len(matches) == 1:
        return matches[0]
    where = str(store.root / "runs")
    if matches:
        fix = "write more of it: " + ", ".join(run.fingerprint for run in matches[:5])
        raise UserError(f"{len(matches)} runs begin with '{name}'", where=where, fix=fix)
    hint = nearest(name, (run.fingerprint for run in runs)) or "there is none yet: run `harness reproduce`"
    raise UserError(f"no run '{name}'", where=where, fix=hint)


def find_run_or_folder(store: Store, name: str) -> StoredRun:
    """Return the run of a folder anywhere, or of a fingerprint in the store.

    Raises:
        UserError: there is no such run, or several.
    """
    folder = written_path(name, "run")
    return StoredRun(folder.resolve()) if (folder / "spec.json").exists() else find_run(store, name)
