"""Members of a zip file that are stored as they are, and are mapped to memory in place of being read."""

from __future__ import annotations

import io
import math
import mmap
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.storage.checksums import BLOCK_BYTES
from harness.storage.files import written_beside

_MOMENT = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the bytes depend on the content alone
_HEAD = 30
"""Bytes of a member's local header before its name."""

_LONGEST_HEAD = 4096
"""Bytes of an array's own header, at most, as `numpy` writes it for numbers."""


@contextmanager
def zip_written(path: Path) -> Iterator[zipfile.ZipFile]:
    """Yield a zip file that takes its name when the block ends; it may be larger than 4 GiB.

    Raises:
        DiskFullError: the disk is full.
        UserError: it cannot be written there.
    """
    with written_beside(path) as stream, zipfile.ZipFile(stream, "w", allowZip64=True) as archive:
        yield archive


def write_member(
    archive: zipfile.ZipFile, name: str, parts: Iterable[bytes], compression: int = zipfile.ZIP_STORED
) -> None:
    """Write a member part by part, the same bytes for the same content."""
    info = zipfile.ZipInfo(name, _MOMENT)
    info.compress_type = compression
    info.create_system = 3  # as on Unix, wherever it is written
    with archive.open(info, "w", force_zip64=True) as member:
        for part in parts:
            member.write(part)


class Mapped:
    """The stored members of an open zip file, mapped.

    Args:
        archive: the file, open.
        path: of the file.
    """

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive = archive
        with path.open("rb") as stream:
            self._content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)

    def array(self, name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return a member as an array, read-only.

        Raises:
            KeyError: there is none.
            ValueError: it is compressed, damaged or cut short.
        """
        begin, size = self.place(name)
        dtype = np.dtype(dtype)
        if size % dtype.itemsize:
            raise ValueError(f"{name} has a part of a number")
        if not size:
            return np.empty(0, dtype=dtype)
        return np.frombuffer(self._content, dtype=dtype, count=size // dtype.itemsize, offset=begin)

    def saved(self, name: str) -> npt.NDArray[Any]:
        """Return the array of a member in the format of `numpy.save`, read-only.

        Raises:
            KeyError: there is none.
            ValueError: it is no such array, or compressed, damaged or cut short.
        """
        begin, size = self.place(name)
        stream = io.BytesIO(self._content[begin : begin + min(size, _LONGEST_HEAD)])
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError(f"{name} is in another format")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        count, head = math.prod(shape), stream.tell()
        if dtype.hasobject or fortran or head + count * dtype.itemsize != size:
            raise ValueError(f"{name} is no array, or cut short")
        if not count:
            return np.empty(shape, dtype=dtype)
        return np.frombuffer(self._content, dtype=dtype, count=count, offset=begin + head).reshape(shape)

    def place(self, name: str) -> tuple[int, int]:
        """Return where the content of a member begins, and its bytes, which match their checksum.

        Raises:
            KeyError: there is none.
            ValueError: it is compressed, damaged or cut short.
        """
        info = self._archive.getinfo(name)
        if info.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is compressed")
        with self._archive.open(info):  # which compares its two headers
            pass
        at = info.header_offset
        lengths = np.frombuffer(self._content, dtype="<u2", count=2, offset=at + 26)
        begin = at + _HEAD + int(lengths.sum())
        if begin + info.file_size > len(self._content):
            raise ValueError(f"{name} is cut short")
        value = 0
        with memoryview(self._content) as content:
            for start in range(begin, begin + info.file_size, BLOCK_BYTES):
                value = zlib.crc32(content[start : min(start + BLOCK_BYTES, begin + info.file_size)], value)
        if value != info.CRC:
            raise ValueError(f"{name} does not match its checksum")
        return begin, info.file_size
