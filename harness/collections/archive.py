"""A prepared collection as a single file, which can be copied to another machine."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.collections.collection import Collection, Queries
from harness.errors import UserError
from harness.storage.disk import space_for
from harness.storage.files import write_bytes

FORMAT = "harness collection 1"
LARGEST_BYTES = 4 << 30
"""Limit of the uncompressed size; a larger archive is refused before it is read."""

MOST_COMPRESSED = 50
"""Bytes that a byte of an archive may stand for: texts compress to a fifth."""

SMALL_BYTES = 1 << 20
"""What an archive may unpack to in any case."""
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the bytes depend on the content alone

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
    """Write a collection atomically as a zip of JSON lines: equal content yields identical bytes.

    Args:
        collection: what to write.
        path: of the file.
        key: what it is known by; read again by that key alone.

    Raises:
        UserError: it is larger than an archive may be.
    """
    members: dict[str, list[Any]] = {
        "collection.json": [
            {
                "format": FORMAT,
                "name": collection.name,
                "simulation": collection.simulation,
                "splits": list(collection.queries),
                "about": collection.about,
                "own_documents": collection.own_documents,
                "fingerprint": collection.fingerprint,
                **({"answers_are": collection.answers_are} if collection.answers_are != "texts" else {}),
                **({"key": key} if key else {}),
            }
        ],
        "documents.jsonl": _document_rows(collection),
        **{
            f"queries-{number}.jsonl": _rows(queries)
            for number, queries in enumerate(collection.queries.values())
        },
    }
    texts = {
        name: "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        for name, rows in members.items()
    }
    size = sum(map(len, texts.values()))
    if size > LARGEST_BYTES:
        what = f"the collection {collection.name} takes more than {LARGEST_BYTES >> 30} GiB"
        raise UserError(what, fix="take fewer documents")
    packed = _zipped(texts, zipfile.ZIP_DEFLATED)
    if size > _most(len(packed)):  # the same words over and over
        packed = _zipped(texts, zipfile.ZIP_STORED)
    with space_for("the collection", path.parent, len(packed)):
        write_bytes(path, packed)


def _zipped(members: dict[str, bytes], compression: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression, compresslevel=9) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _MOMENT)
            info.compress_type = compression
            info.create_system = 3  # as on Unix, wherever it is written
            archive.writestr(info, content)
    return buffer.getvalue()


def _most(size: int) -> int:
    """Return the bytes that an archive of some size may unpack to."""
    return min(LARGEST_BYTES, max(SMALL_BYTES, MOST_COMPRESSED * size))


def _document_rows(collection: Collection) -> list[Any]:
    """Return one row for each document: id, text, and where its text starts if titles are read."""
    parts: list[Sequence[Any]] = [collection.document_ids, collection.documents]
    parts += [collection.text_starts] if collection.text_starts else []
    return [list(row) for row in zip(*parts, strict=True)]


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
    """Read a collection that `save_collection` wrote, without unpacking to disk.

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
            return _read(archive, path.stat().st_size, key)
    except FileNotFoundError as error:
        raise UserError("file is missing", where=str(path), fix=fix) from error
    except UserError as error:
        raise UserError(error.what, where=str(path), fix=fix) from error
    except _DAMAGE as error:
        raise UserError(f"not a collection, or corrupt ({error})", where=str(path), fix=fix) from error


def _read(archive: zipfile.ZipFile, size: int, key: str) -> Collection:
    """Read and check the collection in an open archive of some bytes."""
    for member in archive.infolist():
        if not re.fullmatch(r"[a-z0-9-]+\.jsonl?", member.filename):
            raise UserError(f"contains {member.filename!r}, which is not part of a collection")
    claimed = sum(member.file_size for member in archive.infolist())
    if claimed > _most(size):  # what it claims is all that is ever read of it
        raise UserError(f"claims {claimed / 1e6:.0f} MB in {size / 1e6:.2f} MB, as no collection does")

    def rows(name: str, is_row: Callable[[Any], bool]) -> list[Any]:
        found = []
        with archive.open(name) as stream:
            for number, line in enumerate(io.TextIOWrapper(stream, "utf-8", newline="\n"), start=1):
                found.append(json.loads(line))
                if not is_row(found[-1]):
                    raise UserError(f"not a collection, or corrupt (line {number} of {name})")
        return found

    (head,) = rows("collection.json", lambda row: isinstance(row, dict))
    if head["format"] != FORMAT:
        raise UserError(f"has format {head['format']!r}, not {FORMAT!r}")
    if key and head.get("key", key) != key:
        raise UserError(f"this is the collection {head['key']}")
    documents = rows("documents.jsonl", _is_document)
    splits = {}
    for number, split in enumerate(head["splits"]):
        query_rows = rows(f"queries-{number}.jsonl", _is_query)
        splits[split] = Queries(
            tuple(row[0] for row in query_rows),
            tuple(row[1] for row in query_rows),
            {row[0]: row[2] for row in query_rows},
            {row[0]: tuple(row[3]) for row in query_rows},
            {row[0]: tuple(row[4]) for row in query_rows if len(row) == 5},
        )
    ids, texts = tuple(row[0] for row in documents), tuple(row[1] for row in documents)
    own = head.get("own_documents", "out")  # older files do not say it
    starts = tuple(row[2] for row in documents if len(row) == 3)
    if len(starts) not in (0, len(ids)):
        raise UserError("not a collection, or corrupt (some documents lack where their text starts)")
    collection = Collection(
        head["name"],
        bool(head["simulation"]),
        ids,
        texts,
        splits,
        head["about"],
        own,
        starts,
        head.get("answers_are", "texts"),
    )
    if collection.fingerprint != head["fingerprint"]:
        raise UserError("content does not match its fingerprint")
    return collection


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
