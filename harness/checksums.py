"""Checksums of a folder, in the format of `sha256sum`: a flipped bit is noticed before a file is used.

Collections and candidates need none: they are zip files, whose readers check a CRC of each part.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.errors import UserError

SUMS = "SHA256SUMS"


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files below a folder into it; `sha256sum -c SHA256SUMS` reads them, too."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    lines = [f"{_sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def check_folder(folder: Path) -> None:
    """Compare a folder's files with their checksums; a folder without any was made before there were some.

    Raises:
        UserError: a file is missing or corrupt.
    """
    if not (folder / SUMS).exists():
        return
    fix = f"delete the folder {folder} and run again"
    for line in (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        try:
            found = _sha256(folder / name)
        except (OSError, ValueError) as error:
            raise UserError("file is missing", where=str(folder / name), fix=fix) from error
        if found != digest:
            raise UserError("corrupt file (its checksum differs)", where=str(folder / name), fix=fix)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
