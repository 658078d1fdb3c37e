"""Places: paths that a user writes, addresses of databases in files, and what the wheel carries a copy of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from harness.errors import UserError

SQLITE = "sqlite:///"
"""How the address of a database in a file begins."""

LONGEST_NAME = 255
"""Bytes that the name of a file may have."""

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parent
"""The folder that holds the package; a git checkout when installed in editable mode."""


def shipped(name: str) -> Path:
    """Return a file or folder that stands beside the package in a checkout, and inside of it in a wheel."""
    copy = PACKAGE / "shipped" / name
    return copy if copy.exists() else CHECKOUT / name


def written_path(text: str | Path, where: str) -> Path:
    """Return a path as a user writes it, with ``~`` for a home: not all of them pass through a shell.

    Args:
        text: the path.
        where: what it is written in, for the error message.

    Raises:
        UserError: it begins with the home of nobody, or has a name that no file can have.
    """
    longest = max(len(part.encode(errors="replace")) for part in str(text).split("/"))
    if longest > LONGEST_NAME or "\0" in str(text):
        what = f"'{str(text)[:40]}...' is no path: a name has {longest} bytes"
        raise UserError(what, where=where, fix=f"write names of at most {LONGEST_NAME}, without a zero")
    if not str(text).startswith("~"):
        return Path(text)
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        fix = f"write the whole path, or ./{text} if it is in the working folder"
        raise UserError(f"'{text}' begins with the home of nobody", where=where, fix=fix) from error


def _at_home(text: str) -> str:
    try:
        return str(written_path(text, "path")) if text.startswith("~") else text
    except UserError as error:
        raise ValueError(f"{error.what}; {error.fix}") from error


LocalName = Annotated[str, AfterValidator(_at_home)]
"""A field of settings that may name a file or folder of this machine, with ``~`` for a home."""


def folder_from(variable: str, usual: str) -> Path:
    """Return the folder that an environment variable names, or the usual one where it names none."""
    return written_path(os.environ.get(variable) or usual, variable)


def data_folder(folder: str) -> Path:
    """Resolve a folder of a spec against HARNESS_DATA, or else the working directory."""
    return folder_from("HARNESS_DATA", ".") / written_path(folder, "folder")


def real(path: Path) -> Path:
    """Return a path without links; one that links to itself stays, and is told where it is opened."""
    return Path(os.path.realpath(path))


def sqlite_address(file: Path) -> str:
    """Return the address of an SQLite database, which leads back to its file.

    Raises:
        UserError: no address leads to it.
    """
    from sqlalchemy import URL, make_url  # noqa: PLC0415  (slow to import, and not needed to read specs)

    path = str(real(file))
    quoted = URL.create("sqlite", database=path).render_as_string(hide_password=False)
    for address in (SQLITE + path, quoted):
        if make_url(address).database == path:
            return address
    what = "no address of a database leads to this path"
    raise UserError(what, where=path, fix="choose a folder without ? and % in its path")


def sqlite_file(address: str) -> Path | None:
    """Return the file of a database from its address; None if it is in none.

    Raises:
        UserError: the address says something else than it seems to.
    """
    if not address.startswith("sqlite"):
        return None
    from sqlalchemy import make_url  # noqa: PLC0415  (as above)

    path, mark, settings = address.partition("?")
    if mark and "=" not in settings:
        meant = sqlite_address(Path(address.partition(":///")[2]))
        raise UserError("what stands after a ? is no part of the path", where=address, fix=f"write {meant}")
    try:
        file = make_url(path).database
    except Exception as error:  # whatever SQLAlchemy raises
        raise UserError(
            f"no address of a database ({error})", where=address, fix=f"write {SQLITE}PATH"
        ) from error
    return written_path(file, address) if file and file != ":memory:" else None


def database_address(text: str) -> str:
    """Return the address of a database as a user writes it, with ``~`` for a home."""
    file = sqlite_file(text)
    if file is None or ":///~" not in text:
        return text
    from sqlalchemy import make_url  # noqa: PLC0415  (as above)

    return make_url(text).set(database=str(file)).render_as_string(hide_password=False)
