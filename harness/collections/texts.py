"""Many texts as one run of bytes, in memory or mapped from a file: a tuple of strings takes twice as much."""

from __future__ import annotations

import itertools
import mmap
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any, TypeVar, overload

import numpy as np
import numpy.typing as npt

from harness.storage.arrays import scratch_file, scratch_folder
from harness.storage.disk import disk_full_as_error

T = TypeVar("T")

AT_ONCE = 4096
"""Texts that are read or written at once."""

IN_MEMORY = 64 << 20
"""Bytes of texts that are collected before they are written to a file."""


@dataclass(frozen=True, eq=False)
class PackedTexts(Sequence[str]):
    """Texts, one after the other; each is made a string when it is asked for.

    Attributes:
        flat: [sum of lengths] uint8, the texts in UTF-8.
        offset: [count + 1] int64 start of each text in `flat`, and the end of the last one.
    """

    flat: npt.NDArray[np.uint8]
    offset: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offset) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...

    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self[number] for number in range(*index.indices(len(self))))
        number = range(len(self))[index]
        return self.flat[self.offset[number] : self.offset[number + 1]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        for begin in range(0, len(self), AT_ONCE):
            ends = self.offset[begin : begin + AT_ONCE + 1].tolist()
            content = self.flat[ends[0] : ends[-1]].tobytes()
            for start, end in itertools.pairwise(ends):
                yield content[start - ends[0] : end - ends[0]].decode()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PackedTexts | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(str.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]  # compared by content, as a list is

    def __repr__(self) -> str:
        return f"<{len(self):,} texts>"


class TextSpool:
    """Packs texts as they come; beyond `IN_MEMORY` they lie in an unnamed file of the store."""

    def __init__(self) -> None:
        self._ends = array("q", [0])
        self._waiting = bytearray()
        self._file: IO[bytes] | None = None

    def add(self, text: str) -> None:
        """Put a text behind the others.

        Raises:
            DiskFullError: the disk is full.
        """
        content = text.encode()
        self._waiting += content
        self._ends.append(self._ends[-1] + len(content))
        if len(self._waiting) > IN_MEMORY:
            self._write()

    def packed(self) -> PackedTexts:
        """Return the texts; none is added any more."""
        offset = np.frombuffer(self._ends, dtype=np.int64)
        if self._file is None:
            return PackedTexts(np.frombuffer(self._waiting, dtype=np.uint8), offset)
        self._write()
        content = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return PackedTexts(np.frombuffer(content, dtype=np.uint8), offset)

    def _write(self) -> None:
        self._file = self._file or scratch_file()
        with disk_full_as_error("texts", scratch_folder()):
            self._file.write(self._waiting)
            self._file.flush()
        self._waiting.clear()


class Numbering(Mapping[str, int]):
    """Number of each of many distinct ids, found by its hash: 12 bytes an id, where a dict takes over 100.

    Args:
        ids: by number.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        self._ids = ids
        hashes = hashes_of(ids)
        self._order = np.argsort(hashes, kind="stable").astype(np.int32)
        self._hashes = hashes[self._order]

    def __getitem__(self, name: str) -> int:
        wanted = hash(name)
        at = int(np.searchsorted(self._hashes, wanted))
        while at < len(self._ids) and self._hashes[at] == wanted:
            number = int(self._order[at])
            if self._ids[number] == name:
                return number
            at += 1
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    @cached_property
    def repeated(self) -> int | None:
        """The smallest number of an id that a smaller number has, too; none where all differ."""
        return min((numbers[1] for numbers in _equal(self._ids, self._hashes, self._order)), default=None)


def equal_texts(texts: Sequence[str]) -> list[list[int]]:
    """Return the numbers of texts that are equal, ascending, for each text that occurs more than once."""
    hashes = hashes_of(texts)
    order = np.argsort(hashes, kind="stable")
    return sorted(_equal(texts, hashes[order], order))


def hashes_of(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return a hash of each text, which no other process computes, [count]."""
    return np.fromiter(map(hash, texts), dtype=np.int64, count=len(texts))


def _equal(
    texts: Sequence[str], hashes: npt.NDArray[np.int64], order: npt.NDArray[Any]
) -> Iterator[list[int]]:
    """Yield the numbers of equal texts; `hashes` ascend, and `order` has the numbers of their texts."""
    same = np.flatnonzero(hashes[1:] == hashes[:-1])
    for run in np.split(same, np.flatnonzero(np.diff(same) > 1) + 1) if len(same) else []:
        groups: dict[str, list[int]] = {}
        for number in order[run[0] : run[-1] + 2].tolist():
            groups.setdefault(texts[number], []).append(number)
        yield from (numbers for numbers in groups.values() if len(numbers) > 1)


def chunks(texts: Iterable[T]) -> Iterator[list[T]]:
    """Yield the texts, some at a time."""
    every = iter(texts)
    while some := list(itertools.islice(every, AT_ONCE)):
        yield some
