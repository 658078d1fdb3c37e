"""Arrays larger than memory should hold: written part by part, or in a file that is mapped."""

from __future__ import annotations

import errno
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from harness.errors import UserError
from harness.storage.disk import space_for
from harness.storage.files import make_folder
from harness.storage.store import Store

MEMORY = "HARNESS_MEMORY"
"""Environment variable: GiB that an array may take in memory; a larger one is mapped from a file."""

USUAL_GIB = 1.0


def most_in_memory() -> int:
    """Return the bytes that an array may take in memory.

    Raises:
        UserError: HARNESS_MEMORY is no number of GiB.
    """
    given = os.environ.get(MEMORY) or str(USUAL_GIB)
    try:
        size = float(given)
    except ValueError:
        size = math.nan
    if not 0 <= size < math.inf:
        raise UserError(f"'{given}' is no number of GiB", where=MEMORY, fix=f"write {MEMORY}=2, or unset it")
    return int(size * 2**30)


def in_memory(size: int) -> bool:
    """Whether an array of some bytes is held in memory, and is not mapped.

    Raises:
        UserError: HARNESS_MEMORY is no number of GiB.
    """
    return size <= most_in_memory()


def scratch_folder() -> Path:
    """Return where unnamed files lie."""
    return Store.default().root / "scratch"


def scratch_file() -> IO[bytes]:
    """Return an open file without a name, which the system removes when nobody reads it any more.

    Raises:
        UserError: the store cannot be written.
    """
    make_folder(scratch_folder())
    return cast("IO[bytes]", tempfile.TemporaryFile(dir=scratch_folder()))


def zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array of zeros; a large one lies in an unnamed file of the store, which the system removes.

    Raises:
        DiskFullError: the disk has too little room for it.
        UserError: HARNESS_MEMORY is no number of GiB, or the store cannot be written.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if in_memory(size):
        return np.zeros(shape, dtype=dtype)
    with space_for("an array beside the memory", scratch_folder(), size), scratch_file() as stream:
        _reserve(stream, size)
        return np.asarray(np.memmap(stream, dtype=dtype, mode="r+", shape=shape))


def _reserve(stream: IO[bytes], size: int) -> None:
    """Take the room of a file where the system can: a disk that fills under a map ends the process."""
    reserve = getattr(os, "posix_fallocate", None)
    if reserve is None:
        return
    try:
        reserve(stream.fileno(), 0, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise


@contextmanager
def array_written(path: Path, dtype: npt.DTypeLike) -> Iterator[Callable[[npt.NDArray[Any]], None]]:
    """Yield what writes the next numbers of an array of one dimension; the file is that of `numpy.save`."""
    dtype, count = np.dtype(dtype), 0

    def write(numbers: npt.NDArray[Any]) -> None:
        nonlocal count
        stream.write(np.ascontiguousarray(numbers, dtype=dtype).data)
        count += len(numbers)

    with path.open("w+b") as stream:
        begin = _head(stream, dtype, 0)
        yield write
        stream.seek(0)
        if _head(stream, dtype, count) != begin:  # numpy leaves room for the digits of the largest count
            raise RuntimeError("the head of an array changed its length")


def _head(stream: Any, dtype: np.dtype[Any], count: int) -> int:
    about = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(stream, about)
    return int(stream.tell())
