"""A prepared collection as a single file, which can be copied to another machine."""

from __future__ import annotations

import io
import itertools
import json
import re
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.collections.collection import Collection, Queries
from harness.collections.texts import PackedTexts, chunks
from harness.errors import UserError
from harness.storage.disk import space_for
from harness.storage.members import Mapped, write_member, zip_written

FORMAT = "harness collection 2"
FORMER = "harness collection 1"
"""Format whose documents are lines of JSON; it is read, and no longer written."""

MOST_COMPRESSED = 50
"""Bytes that a byte of an archive may stand for: texts compress to a fifth."""

SMALL_BYTES = 1 << 20
"""What an archive may unpack to in any case."""

_MEMBER = r"[a-z0-9-]+\.(jsonl?|bytes|offset|int32)"

Documents = tuple[Sequence[str], Sequence[str], tuple[int, ...]]
"""Ids and texts of documents, and where texts start after titles."""

_DAMAGE = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,  # also encrypted members and unknown compression
)
"""Errors of reading a damaged or foreign file."""


def save_collection(collection: Collection, path: Path, key: str = "") -> None:
    """Write a collection atomically as a zip: equal content yields identical bytes.

    Documents are stored as they are, which lets them be mapped; queries are compressed lines of JSON.

    Args:
        collection: what to write.
        path: of the file.
        key: what it is known by; read again by that key alone.
    """
    head = {
        "format": FORMAT,
        "name": collection.name,
        "simulation": collection.simulation,
        "splits": list(collection.queries),
        "about": collection.about,
        "own_documents": collection.own_documents,
        "fingerprint": collection.fingerprint,
        **({"titles_are": "pair"} if collection.titles_are == "pair" else {}),
        **({"answers_are": collection.answers_are} if collection.answers_are != "texts" else {}),
        **({"key": key} if key else {}),
    }
    with space_for("the collection", path.parent, _size(collection)), zip_written(path) as archive:
        write_member(archive, "collection.json", [_line(head)])
        _write_texts(archive, "document-ids", collection.document_ids)
        _write_texts(archive, "document-texts", collection.documents)
        if collection.text_starts:
            write_member(archive, "text-starts.int32", [np.array(collection.text_starts, "<i4").tobytes()])
        for number, queries in enumerate(collection.queries.values()):
            lines = b"".join(map(_line, _rows(queries)))
            packed = len(zlib.compress(lines)) * MOST_COMPRESSED > len(lines)  # else the same words again
            how = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            write_member(archive, f"queries-{number}.jsonl", [lines], how)


def _size(collection: Collection) -> int:
    """Return about the bytes of an archive; queries, compressed, are few beside documents."""
    texts = (collection.document_ids, collection.documents)
    return sum(len(part) + 8 for some in texts for part in some)


def _write_texts(archive: zipfile.ZipFile, name: str, texts: Sequence[str]) -> None:
    ends = array("q", [0])

    def parts() -> Iterator[bytes]:
        for some in chunks(texts):
            encoded = [text.encode() for text in some]
            ends.extend(itertools.accumulate(map(len, encoded), initial=ends.pop()))
            yield b"".join(encoded)

    write_member(archive, f"{name}.bytes", parts())
    write_member(archive, f"{name}.offset", [np.asarray(ends, "<i8").tobytes()])


def _line(row: Any) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode()


def _most(size: int) -> int:
    """Return the bytes that an archive of some size may unpack to."""
    return max(SMALL_BYTES, MOST_COMPRESSED * size)


def _rows(queries: Queries) -> list[Any]:
    """Return one row for each query: id, text, judgements, known relevant documents, and answers if any."""
    return [
        [
            query,
            text,
            queries.qrels.get(query, {}),
            list(queries.known_relevant.get(query, ())),
            *([list(queries.answers[query])] if query in queries.answers else []),
        ]
        for query, text in zip(queries.ids, queries.texts, strict=True)
    ]


def load_collection(path: Path, key: str = "") -> Collection:
    """Read a collection that `save_collection` wrote, without unpacking to disk; its documents are mapped.

    Args:
        path: of the file.
        key: what it must be known by, where that matters; older files do not say it.

    Raises:
        UserError: the file is missing, is no collection, is another one, or its content does not match its
            fingerprint.
    """
    fix = "delete it and run again, or copy it again"
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, path, key)
    except FileNotFoundError as error:
        raise UserError("file is missing", where=str(path), fix=fix) from error
    except UserError as error:
        raise UserError(error.what, where=str(path), fix=fix) from error
    except _DAMAGE as error:
        raise UserError(f"not a collection, or corrupt ({error})", where=str(path), fix=fix) from error


def _read(archive: zipfile.ZipFile, path: Path, key: str) -> Collection:
    """Read and check the collection in an open archive."""
    _refuse_foreign_members(archive, path.stat().st_size)
    (head,) = _lines(archive, "collection.json", lambda row: isinstance(row, dict))
    if head["format"] not in (FORMAT, FORMER):
        raise UserError(f"has format {head['format']!r}, not {FORMAT!r}")
    if key and head.get("key", key) != key:
        raise UserError(f"this is the collection {head['key']}")
    former = head["format"] == FORMER
    ids, texts, starts = _unpacked(archive) if former else _mapped(Mapped(archive, path), archive.namelist())
    if len(texts) != len(ids) or len(starts) not in (0, len(ids)):
        raise UserError("not a collection, or corrupt (some documents lack where their text starts)")
    collection = Collection(
        name=head["name"],
        simulation=bool(head["simulation"]),
        document_ids=ids,
        documents=texts,
        queries={split: _queries(archive, number) for number, split in enumerate(head["splits"])},
        about=head["about"],
        own_documents=head.get("own_documents", "out"),  # older files do not say it
        text_starts=starts,
        answers_are=head.get("answers_are", "texts"),
        titles_are=head.get("titles_are", "joined"),
    )
    if collection.fingerprint != head["fingerprint"]:
        raise UserError("content does not match its fingerprint")
    return collection


def _refuse_foreign_members(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive that holds something else, or claims more than a collection of its bytes does."""
    for member in archive.infolist():
        if not re.fullmatch(_MEMBER, member.filename):
            raise UserError(f"contains {member.filename!r}, which is not part of a collection")
    claimed = sum(member.file_size for member in archive.infolist())
    if claimed > _most(size):  # what it claims is all that is ever read of it
        raise UserError(f"claims {claimed / 1e6:.0f} MB in {size / 1e6:.2f} MB, as no collection does")


def _lines(archive: zipfile.ZipFile, name: str, is_row: Callable[[Any], bool]) -> list[Any]:
    """Return the lines of a member, each of which is a row of a kind."""
    found = []
    with archive.open(name) as stream:
        for number, line in enumerate(io.TextIOWrapper(stream, "utf-8", newline="\n"), start=1):
            found.append(json.loads(line))
            if not is_row(found[-1]):
                raise UserError(f"not a collection, or corrupt (line {number} of {name})")
    return found


def _queries(archive: zipfile.ZipFile, number: int) -> Queries:
    rows = _lines(archive, f"queries-{number}.jsonl", _is_query)
    return Queries(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        {row[0]: row[2] for row in rows},
        {row[0]: tuple(row[3]) for row in rows},
        {row[0]: tuple(row[4]) for row in rows if len(row) == 5},
    )


def _unpacked(archive: zipfile.ZipFile) -> Documents:
    """Return ids, texts and starts of texts in the format of before."""
    rows = _lines(archive, "documents.jsonl", _is_document)
    starts = tuple(row[2] for row in rows if len(row) == 3)
    return tuple(row[0] for row in rows), tuple(row[1] for row in rows), starts


def _mapped(mapped: Mapped, names: list[str]) -> Documents:
    """Return ids, texts and starts of texts."""

    def texts(name: str) -> PackedTexts:
        flat, offset = mapped.array(f"{name}.bytes", np.uint8), mapped.array(f"{name}.offset", "<i8")
        if not len(offset) or offset[0] != 0 or offset[-1] != len(flat) or (np.diff(offset) < 0).any():
            raise ValueError(f"the texts of {name} are not one after the other")
        return PackedTexts(flat, offset)

    starts = mapped.array("text-starts.int32", "<i4").tolist() if "text-starts.int32" in names else ()
    return texts("document-ids"), texts("document-texts"), tuple(starts)


def _is_document(row: Any) -> bool:
    """Whether a row is the id and text of a document, and where its text starts."""
    return isinstance(row, list) and _texts(row[:2], 2) and [type(part) for part in row[2:]] in ([], [int])


def _is_query(row: Any) -> bool:
    """Whether a row is the id, text, judgements, known relevant documents and answers of a query."""
    return (
        isinstance(row, list)
        and len(row) in (4, 5)
        and _texts(row[:2], 2)
        and isinstance(row[2], dict)
        and all(type(grade) is int for grade in row[2].values())
        and all(map(_texts, row[3:]))
    )


def _texts(parts: Any, count: int | None = None) -> bool:
    """Whether something is a list of texts, of some number of them."""
    some = isinstance(parts, list) and all(isinstance(part, str) for part in parts)
    return some and count in (None, len(parts))
