"""Atomic writing, and hashing that does not depend on the machine."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import shutil
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from harness.errors import UserError, first_line
from harness.storage.checksums import SUMS, checksums
from harness.storage.disk import disk_full_as_error, is_full

if TYPE_CHECKING:
    import pandas as pd


DELETE = "delete it and run again"

UNFINISHED = ".unfinished"
"""What the name of a folder ends in that `resumed_folder` has not finished."""

CHECKSUM = b"harness.crc32"
"""Key of the checksum in the metadata of a parquet file."""


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys and without spaces: equal content yields equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_hash(*values: Any) -> str:
    """Return the first 16 hex digits of the SHA-256 of the canonical JSON of the values."""
    return hashlib.sha256(canonical_json(values).encode()).hexdigest()[:16]


def files_hash(folder: Path, files: Sequence[Path]) -> str:
    """Return a hash of the files' relative names and contents, cached by size and time of change."""
    return _files_hash(folder, tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in files))


@functools.cache
def _files_hash(folder: Path, files: tuple[tuple[Path, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, _, _ in files:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically: to a temporary file beside it, which is flushed to disk and renamed.

    Raises:
        DiskFullError: the disk is full.
        UserError: it cannot be written there.
    """
    with written_beside(path) as stream:
        stream.write(data)


@contextmanager
def written_beside(path: Path) -> Iterator[IO[bytes]]:
    """Yield a temporary file beside a path; when the block ends, it is flushed to disk and renamed.

    Raises:
        DiskFullError: the disk is full.
        UserError: it cannot be written there.
    """
    make_folder(path.parent)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with _written_or_told(path):
        try:
            with disk_full_as_error(path.name, path.parent), beside.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        beside.replace(path)
        flush(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, unless it is there.

    Raises:
        UserError: something else stands in its place, or it cannot be made.
    """
    if folder.is_dir():
        return
    for place in (*reversed(folder.parents), folder):
        if os.path.lexists(place) and not place.is_dir():
            fix = "move it away and run again"
            raise UserError("this is no folder, and one must be there", where=str(place), fix=fix)
    with _written_or_told(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def _written_or_told(path: Path) -> Iterator[None]:
    """Tell what a file system refuses, but for a full disk, which has words of its own."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise
        fix = "move it away and run again" if path.is_dir() else "make its folder writable and run again"
        raise UserError(f"cannot be written ({error.strerror})", where=str(path), fix=fix) from error


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield an empty temporary folder; when the block ends, add checksums, flush it to disk and rename it.

    Args:
        target: final path of the folder. What stands there is replaced, unless the block fails.

    Raises:
        UserError: it cannot be written there.
    """
    beside = target.with_name(f".{target.name}.tmp")
    make_folder(target.parent)
    with _written_or_told(target.parent):
        remove(beside)  # of a process that was killed
        beside.mkdir()
    try:
        yield beside
        _finish(beside, target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


@contextmanager
def resumed_folder(target: Path) -> Iterator[Path]:
    """Yield a folder beside the target that outlasts a crash, with what was left in it; else `atomic_folder`.

    Args:
        target: final path of the folder, which is not there yet.

    Raises:
        UserError: it cannot be written there.
    """
    beside = unfinished(target)
    make_folder(beside)
    yield beside
    _finish(beside, target)


def unfinished(target: Path) -> Path:
    """Return where a folder lies that `resumed_folder` has not finished."""
    return target.with_name(f".{target.name}{UNFINISHED}")


def _finish(beside: Path, target: Path) -> None:
    """Add checksums to a folder, flush it to disk and rename it."""
    with ThreadPoolExecutor(max_workers=1) as pool:  # the processor hashes while the disk flushes
        sums = pool.submit(checksums, beside)
        for path in beside.rglob("*"):
            flush(path)
    write_text(beside / SUMS, sums.result())
    remove(target)
    beside.rename(target)
    flush(target.parent)


def flush(path: Path) -> None:
    """Flush a file, or a folder's entries, to disk: else a power failure may undo a write or a rename."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically; half a surrogate pair, of a path, is escaped as JSON escapes it."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON with sorted keys atomically."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """Return indented JSON with sorted keys, as files have it."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_json(path: Path, fix: str | None = None) -> Any:
    """Read JSON.

    Args:
        path: of the file.
        fix: advice for a file that is missing or corrupt, where it is another than the usual one.

    Raises:
        UserError: the file is missing or corrupt, or is no file.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError("file is missing", where=str(path), fix=fix or "make it again") from error
    except Exception as error:  # a folder, a link to itself, lists too deep, or no text
        what = f"corrupt file ({first_line(error)})"
        raise UserError(what, where=str(path), fix=fix or DELETE) from error


def read_object(path: Path, fix: str | None = None) -> dict[str, Any]:
    """Read a JSON object; see `read_json`.

    Raises:
        UserError: the file is missing or corrupt, or holds something else.
    """
    content = read_json(path, fix)
    if not isinstance(content, dict):
        raise UserError("corrupt file (no JSON object)", where=str(path), fix=fix or DELETE)
    return content


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as parquet atomically, with a checksum of its content in the metadata.

    With the checksum in a file of its own, a reader could see a new file with an old checksum.
    """
    import pyarrow as pa  # noqa: PLC0415  (slow to import, and not needed to read specs)
    import pyarrow.parquet  # noqa: PLC0415

    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), CHECKSUM: _content_sum(frame)})
    stream = io.BytesIO()
    pa.parquet.write_table(table, stream)
    write_bytes(path, stream.getvalue())


def read_parquet(path: Path, fix: str) -> pd.DataFrame:
    """Read a frame and compare it with its checksum; older files have none and pass.

    Args:
        path: path of the parquet file.
        fix: advice for a corrupt file, for the error message.

    Raises:
        UserError: the file is missing or corrupt.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415  (as above)

    try:
        table = pq.read_table(path)
        frame: pd.DataFrame = table.to_pandas()
        stored = (table.schema.metadata or {}).get(CHECKSUM)
        if stored is not None and stored != _content_sum(frame):
            raise ValueError("its checksum differs")
    except Exception as error:
        raise UserError(f"corrupt file ({error})", where=str(path), fix=fix) from error
    return frame


def _content_sum(frame: pd.DataFrame) -> bytes:
    """Return a CRC-32 of a frame's column names and values, 8 hex digits."""
    import pandas as pd  # noqa: PLC0415  (as above)

    names = zlib.crc32(",".join(map(str, frame.columns)).encode())
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return f"{zlib.crc32(rows.tobytes(), names):08x}".encode()
