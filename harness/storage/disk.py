"""Detection of a full disk, before and while a product is written."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError

MARGIN_BYTES = 100_000_000
"""Free space to leave beside a product, for unchecked writes: metrics, rankings, MLflow."""

FULL = (errno.ENOSPC, errno.EDQUOT)
WORDS = ("No space left on device", "Disk quota exceeded", " requested and ")
"""Messages of such errors; the last one is part of numpy's ("... requested and ... written")."""


class DiskFullError(HarnessError):
    """The disk is full; everything written before is intact."""

    def __init__(self, what: str, folder: Path) -> None:
        super().__init__(
            f"{folder}: the disk is full: {what}; free some space, or move the store and set "
            "HARNESS_STORE; then run the command again to resume"
        )


@contextmanager
def space_for(what: str, folder: Path, needed_bytes: int) -> Iterator[None]:
    """Run the block that writes a product of a known size if the disk has enough free space.

    Args:
        what: name of the product, for the error message.
        folder: folder of the product, which need not exist yet.
        needed_bytes: size of the product in bytes.

    Raises:
        DiskFullError: the disk has too little free space, or became full in the block.
    """
    free = _free(folder)
    if free < needed_bytes + MARGIN_BYTES:
        needs = f"{what} needs {_mb(needed_bytes)}, and {_mb(MARGIN_BYTES)} must remain free"
        raise DiskFullError(f"{needs}, but only {_mb(free)} are free", folder)
    with disk_full_as_error(what, folder):
        yield


@contextmanager
def disk_full_as_error(what: str, folder: Path) -> Iterator[None]:
    """Convert errors of a full disk in the block.

    Raises:
        DiskFullError: the disk became full.
    """
    try:
        yield
    except Exception as error:
        if not is_full(error):
            raise
        place = _folder_named_in(error) or folder
        raise DiskFullError(f"{what} could not be written, {_mb(_free(place))} are free", place) from error


def is_full(error: BaseException | None) -> bool:
    """Return whether an error, or one of its causes, is due to a full disk or quota.

    Libraries with their own writers (safetensors, numpy) raise errors without an errno.
    """
    return any(
        (isinstance(one, OSError) and one.errno in FULL) or any(words in str(one) for words in WORDS)
        for one in _with_causes(error)
    )


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes, each once: some are among their own."""
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _folder_named_in(error: BaseException | None) -> Path | None:
    """Return the folder of the file that an error, or one of its causes, names; none where none does."""
    for one in _with_causes(error):
        if isinstance(one, OSError) and isinstance(one.filename, str):
            return Path(one.filename).parent
    return None


def _free(folder: Path) -> int:
    """Return the free bytes on the disk of a folder, which need not exist yet."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
