"""A prepared collection as a single file, which can be copied to another machine."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from harness.collections.collection import Collection, Queries
from harness.errors import UserError
from harness.storage.disk import space_for
from harness.storage.files import write_bytes

FORMAT = "harness collection 1"
LARGEST_BYTES = 4 << 30
"""Limit of the uncompressed size; a larger archive is refused before it is read."""
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


def save_collection(collection: Collection, path: Path) -> None:
    """Write a collection atomically as a zip of JSON lines: equal content yields identical bytes."""
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
            }
        ],
        "documents.jsonl": [
            list(pair) for pair in zip(collection.document_ids, collection.documents, strict=True)
        ],
        **{
            f"queries-{number}.jsonl": _rows(queries)
            for number, queries in enumerate(collection.queries.values())
        },
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, rows in members.items():
            info = zipfile.ZipInfo(name, _MOMENT)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # as on Unix, wherever it is written
            archive.writestr(info, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    with space_for("the collection", path.parent, buffer.tell()):
        write_bytes(path, buffer.getvalue())


def _rows(queries: Queries) -> list[Any]:
    """Return one row for each query: id, text, judgements, known relevant documents."""
    return [
        [query, text, queries.qrels.get(query, {}), list(queries.known_relevant.get(query, ()))]
        for query, text in zip(queries.ids, queries.texts, strict=True)
    ]


def load_collection(path: Path) -> Collection:
    """Read a collection that `save_collection` wrote, without unpacking to disk.

    Raises:
        UserError: the file is missing, is no collection, or its content does not match its fingerprint.
    """
    fix = "delete it and run again, or copy it again"
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except FileNotFoundError as error:
        raise UserError("file is missing", where=str(path), fix=fix) from error
    except UserError as error:
        raise UserError(error.what, where=str(path), fix=fix) from error
    except _DAMAGE as error:
        raise UserError(f"not a collection, or corrupt ({error})", where=str(path), fix=fix) from error


def _read(archive: zipfile.ZipFile) -> Collection:
    """Read and check the collection in an open archive."""
    for member in archive.infolist():
        if not re.fullmatch(r"[a-z0-9-]+\.jsonl?", member.filename):
            raise UserError(f"contains {member.filename!r}, which is not part of a collection")
    if sum(member.file_size for member in archive.infolist()) > LARGEST_BYTES:
        raise UserError(f"claims more than {LARGEST_BYTES >> 30} GiB")

    def rows(name: str) -> list[Any]:
        with archive.open(name) as stream:
            return [json.loads(line) for line in io.TextIOWrapper(stream, "utf-8", newline="\n")]

    (head,) = rows("collection.json")
    if head["format"] != FORMAT:
        raise UserError(f"has format {head['format']!r}, not {FORMAT!r}")
    documents = rows("documents.jsonl")
    splits = {}
    for number, split in enumerate(head["splits"]):
        query_rows = rows(f"queries-{number}.jsonl")
        splits[split] = Queries(
            tuple(row[0] for row in query_rows),
            tuple(row[1] for row in query_rows),
            {row[0]: row[2] for row in query_rows},
            {row[0]: tuple(row[3]) for row in query_rows},
        )
    ids, texts = tuple(row[0] for row in documents), tuple(row[1] for row in documents)
    own = head.get("own_documents", "out")  # older files do not say it
    collection = Collection(head["name"], bool(head["simulation"]), ids, texts, splits, head["about"], own)
    if collection.fingerprint != head["fingerprint"]:
        raise UserError("content does not match its fingerprint")
    return collection
