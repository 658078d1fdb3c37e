"""Artifacts beside an SQLite database of MLflow: their places are absolute, and follow a moved store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from harness.storage.places import real

ARTIFACTS = "mlartifacts"
COLUMNS = (("experiments", "artifact_location", "experiment_id"), ("runs", "artifact_uri", "run_uuid"))
"""Table, column that holds a place, and key."""


def artifact_folder(database: Path) -> Path:
    """Return the folder of artifacts, beside an SQLite database."""
    return real(database).parent / ARTIFACTS


def heal_artifact_places(database: Path) -> None:
    """Lead artifacts to the folder beside the database, where that was moved or copied with its store.

    New runs write beside the database. An earlier run stays where it is if its artifacts lie there alone.

    Raises:
        sqlite3.Error: the database cannot be read or written.
    """
    beside = artifact_folder(database)
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        for table, column, key in COLUMNS:
            rows = connection.execute(f"SELECT {key}, {column} FROM {table}").fetchall()  # noqa: S608  (ours)
            healed = [
                (here.as_uri(), name)
                for name, address in rows
                if (was := _folder_of_ours(address)) is not None
                and was != (here := beside.joinpath(*_below(was)))
                and (table == "experiments" or here.exists() or not was.exists())
            ]
            connection.executemany(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", healed)  # noqa: S608


def _folder_of_ours(address: str | None) -> Path | None:
    """Return the folder of an address if it is one of artifacts beside some database."""
    parts = urlsplit(address or "")
    path = Path(unquote(parts.path))
    return path if parts.scheme == "file" and ARTIFACTS in path.parts else None


def _below(folder: Path) -> tuple[str, ...]:
    """Return what follows the last folder of artifacts in a path."""
    return folder.parts[len(folder.parts) - folder.parts[::-1].index(ARTIFACTS) :]
