"""A disk that is full, or about to be, told in one line before or while a product is written."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError

MARGIN_BYTES = 100_000_000
"""What stays free beside a product, for all that is written without asking: metrics, rankings, MLflow."""

FULL = (errno.ENOSPC, errno.EDQUOT)
WORDS = ("No space left on device", "Disk quota exceeded", " requested and ")
"""What such errors quote; the last is numpy's: so many items requested and so many written."""


class DiskFullError(HarnessError):
    """There is no room; what was written before is whole."""

    def __init__(self, what: str, folder: Path) -> None:
        super().__init__(
            f"{folder}: the disk is full: {what}; make room, or move the store and set HARNESS_STORE, "
            "then give the same command: it continues"
        )


@contextmanager
def space_for(what: str, folder: Path, needed_bytes: int) -> Iterator[None]:
    """Write a product of a known size in the block, unless the disk would be all but full after it.

    Args:
        what: is written.
        folder: where, or will be.
        needed_bytes: its size.

    Raises:
        DiskFullError: there is not enough room, or none was left in the middle of it.
    """
    free = _free(folder)
    if free < needed_bytes + MARGIN_BYTES:
        needs = f"{what} needs {_mb(needed_bytes)}, and {_mb(MARGIN_BYTES)} must stay free"
        raise DiskFullError(f"{needs}, but {_mb(free)} are", folder)
    with disk_full_as_error(what, folder):
        yield


@contextmanager
def disk_full_as_error(what: str, folder: Path) -> Iterator[None]:
    """Tell of a disk that filled up in the block.

    Raises:
        DiskFullError: it did.
    """
    try:
        yield
    except Exception as error:
        if not is_full(error):
            raise
        raise DiskFullError(f"{what} could not be written, {_mb(_free(folder))} are free", folder) from error


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, is that of a full disk or quota.

    Libraries that write by themselves (safetensors, numpy) raise errors of their own, without its number.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if any(words in str(error) for words in WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


def _free(folder: Path) -> int:
    """Return the bytes free where a folder is, or will be."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
