"""Checksums of a folder, to detect corruption before a file is used.

They are CRC-32, as in zip files, so collections and candidates, which are zip files, need no others. CRC-32
detects damage, not manipulation, and costs at most a third of SHA-256.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from harness.errors import UserError, told

SUMS = "checksums.txt"

BLOCK_BYTES = 1 << 20


def checksums(folder: Path) -> str:
    """Return the content of a folder's `checksums.txt`, with one line for each file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    return "".join(f"{crc32(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)


def check_folder(folder: Path) -> None:
    """Compare a folder's files with their checksums; older folders have no checksums and pass.

    Raises:
        UserError: a file is missing or corrupt.
    """
    if not (folder / SUMS).exists():
        return
    fix = f"delete the folder {folder} and run again"
    with told("corrupt file", where=str(folder / SUMS), fix=fix):
        lines = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    for line in lines:
        expected, _, name = line.partition("  ")
        try:
            actual = crc32(folder / name)
        except (OSError, ValueError) as error:
            raise UserError("file is missing", where=str(folder / name), fix=fix) from error
        if actual != expected:
            raise UserError("corrupt file (its checksum differs)", where=str(folder / name), fix=fix)


def crc32(path: Path) -> str:
    """Return the checksum of a file, 8 hex digits.

    Raises:
        OSError: the file cannot be read.
    """
    value = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            value = zlib.crc32(block, value)
    return f"{value:08x}"
