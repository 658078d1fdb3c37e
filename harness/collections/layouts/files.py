"""The files of a published collection: a folder or an archive, each file plain or gzip.

An archive is read where it lies: nothing of it is unpacked to disk.
"""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, cast

from harness.errors import UserError, first_line
from harness.storage.files import files_hash

ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar")
"""How the name of an archive ends."""

AGAIN = "copy or download it again"

_DAMAGE = (
    OSError,
    EOFError,
    RuntimeError,  # an encrypted member
    NotImplementedError,  # an unknown compression
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
)

_BESIDE = ("__MACOSX", ".DS_Store", "PaxHeader")
"""What archivers add; no part of a collection."""


@contextmanager
def damage_as_error(where: str) -> Iterator[None]:
    """Tell in one line that something cannot be read, or is damaged.

    Raises:
        UserError: the block could not read it.
    """
    try:
        yield
    except _DAMAGE as error:
        what = f"cannot be read, or is damaged ({first_line(error)})"
        raise UserError(what, where=where, fix=AGAIN) from error


def archive_ending(path: Path) -> str | None:
    """Return how the name of an archive ends; none of what is no archive."""
    return next((ending for ending in ARCHIVES if path.name.lower().endswith(ending)), None)


def collection_name(path: Path) -> str:
    """Return the name of a collection: that of its folder, or of its archive without the ending."""
    ending = archive_ending(path)
    return path.name[: -len(ending)] if ending and not path.is_dir() else path.resolve().name


@dataclass(frozen=True)
class Files:
    """The files of a folder or an archive, by their names from its root, with slashes.

    Attributes:
        path: of the folder or archive.
        layout: what it should hold, in words, for errors.
        members: name -> name inside of the archive; empty for a folder.
    """

    path: Path
    layout: str
    members: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the collection."""
        return collection_name(self.path)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    def where(self, name: str) -> str:
        """Return the place of a file, for errors."""
        return str(self.path / self.members.get(name, name))

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        if not self.is_folder:
            return sorted(self.members)
        found = (path for path in self.path.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.path).as_posix() for path in found)

    def find(self, *names: str) -> str | None:
        """Return the first of some files that is there, plain or with ``.gz`` after its name.

        Raises:
            UserError: one is there both ways.
        """
        for name in names:
            there = [one for one in (name, f"{name}.gz") if self._has(one)]
            if len(there) > 1:
                raise UserError(f"{there[1]} is there, too", where=self.where(name), fix="keep one of them")
            if there:
                return there[0]
        return None

    def need(self, *names: str) -> str:
        """Return the first of some files that is there; see `find`.

        Raises:
            UserError: none is there.
        """
        found = self.find(*names)
        if found is None:
            raise UserError("file is missing", where=self.where(names[0]), fix=self.layout)
        return found

    def _has(self, name: str) -> bool:
        return (self.path / name).exists() if self.is_folder else name in self.members

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Yield the content of a file, unpacked where its name ends in ``.gz``.

        Raises:
            UserError: it cannot be read.
        """
        with damage_as_error(self.where(name)), self._raw(name) as stream:
            if name.endswith(".gz"):
                with gzip.open(stream) as unpacked:
                    yield cast("IO[bytes]", unpacked)
            else:
                yield stream

    @contextmanager
    def _raw(self, name: str) -> Iterator[IO[bytes]]:
        if self.is_folder:
            with (self.path / name).open("rb") as stream:
                yield stream
        elif archive_ending(self.path) == ".zip":
            with zipfile.ZipFile(self.path) as archive, archive.open(self.members[name]) as stream:
                yield stream
        else:
            with tarfile.open(self.path) as tar, tar.extractfile(self.members[name]) as stream:  # type: ignore[union-attr]
                yield stream

    def lines(self, name: str) -> Iterator[tuple[str, bytes]]:
        """Yield the lines of a file that are not empty, each with its path and line number."""
        where = self.where(name)
        with self.open(name) as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield f"{where}:{number}", line

    def hash(self, names: Sequence[str]) -> str:
        """Return a hash of some files of a folder, or of the whole archive."""
        if self.is_folder:
            return files_hash(self.path, [self.path / name for name in names])
        return files_hash(self.path.parent, [self.path])


def open_files(path: Path, layout: str) -> Files:
    """Open a folder or an archive.

    Args:
        path: of the folder or archive.
        layout: what it should hold, in words, for errors.

    Raises:
        UserError: it is not there, or an archive is damaged or has a member that leaves its folder.
    """
    if path.is_dir():
        return Files(path, layout)
    ending = archive_ending(path)
    if not path.exists():
        raise UserError("no such folder", where=str(path), fix=layout)
    if ending is None:
        what = f"neither a folder nor an archive ({', '.join(ARCHIVES)})"
        raise UserError(what, where=str(path), fix=layout)
    with damage_as_error(str(path)):
        members = _of_zip(path) if ending == ".zip" else _of_tar(path)
    return Files(path, layout, _from_root(members))


def _of_zip(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        for info in infos:
            is_link = info.external_attr >> 28 == 0o12
            _check_member(path, info.filename, "a link" if is_link else None)
        return _each_once(path, [info.filename for info in infos])


def _of_tar(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        infos = [info for info in archive.getmembers() if not info.isdir()]
    for info in infos:
        _check_member(path, info.name, None if info.isfile() else "no file")
    return _each_once(path, [info.name for info in infos])


def _check_member(path: Path, name: str, wrong: str | None) -> None:
    """Refuse a member of an archive that leaves its folder, or is no file."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in name[:2]:
        wrong = "outside of its folder"
    if wrong is not None:
        fix = "do not trust this archive; take it from another place"
        raise UserError(f"member '{name}' is {wrong}", where=str(path), fix=fix)


def _each_once(path: Path, names: list[str]) -> list[str]:
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise UserError(f"member '{twice}' is there twice", where=str(path), fix=AGAIN)
    return names


def _from_root(members: Sequence[str]) -> dict[str, str]:
    """Return name from the deepest folder that holds all members -> member."""
    parts = {
        name: PurePosixPath(name).parts
        for name in members
        if not any(part.startswith((*_BESIDE, "._")) for part in PurePosixPath(name).parts)
    }
    while parts and len({of[0] for of in parts.values()}) == 1 and all(len(of) > 1 for of in parts.values()):
        parts = {name: of[1:] for name, of in parts.items()}
    return {"/".join(of): name for name, of in parts.items()}
