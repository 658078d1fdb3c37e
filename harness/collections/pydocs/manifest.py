"""The committed list of ``pydocs``' documents, to compare the collection between machines.

``python -m harness.collections.pydocs.manifest`` builds the collection and compares it; with ``--write`` it
rewrites the list.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import lzma
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.collections.collection import Collection
from harness.collections.pydocs.build import build_pydocs
from harness.errors import UserError
from harness.storage.files import write_bytes

MANIFEST = Path(__file__).with_name("manifest.csv.xz")
COLUMNS = ("package", "version", "name", "text", "split")


@dataclass(frozen=True)
class ManifestRow:
    """A document in the manifest.

    Attributes:
        package: canonical name of the distribution.
        version: version of the distribution.
        name: qualified name of the documented definition.
        text: first 12 hex digits of the SHA-256 of the query, a line break and the document.
        split: split of its query; empty for a document without a query.
    """

    package: str
    version: str
    name: str
    text: str
    split: str

    @property
    def id(self) -> str:
        """The document id."""
        return f"{self.package}:{self.name}"


@dataclass(frozen=True)
class ManifestOverlap:
    """The comparison of a collection with the manifest.

    Attributes:
        identical: number of documents with the same text and split.
        missing: ids in the manifest only.
        changed: ids with another text or split.
        extra: ids in the collection only.
    """

    identical: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def share(self) -> float:
        """Identical documents as a fraction of the union of both sides."""
        return self.identical / max(
            1, self.identical + len(self.missing) + len(self.changed) + len(self.extra)
        )

    @property
    def summary(self) -> str:
        """One line with the overlap in percent and the differences by package."""
        same = f"pydocs: {self._percent} % of documents as in the manifest ({self.identical} identical"
        for what, ids in (("missing", self.missing), ("changed", self.changed), ("extra", self.extra)):
            if ids:
                counts = Counter(known.split(":")[0] for known in ids)
                same += f"; {what}: " + ", ".join(f"{package} {n}" for package, n in sorted(counts.items()))
        return same + ")"

    @property
    def _percent(self) -> str:
        """The share in percent, rounded down, so that 100.0 means all."""
        return f"{int(self.share * 1000) / 10:.1f}"


def compare_with_manifest(collection: Collection, path: Path = MANIFEST) -> ManifestOverlap:
    """Compare a built or loaded ``pydocs`` with the manifest."""
    listed = {row.id: row for row in read_manifest(path)}
    actual = {row.id: row for row in manifest_rows(collection)}
    common = listed.keys() & actual.keys()
    changed = sorted(
        known
        for known in common
        if (listed[known].text, listed[known].split) != (actual[known].text, actual[known].split)
    )
    return ManifestOverlap(
        identical=len(common) - len(changed),
        missing=tuple(sorted(listed.keys() - common)),
        changed=tuple(changed),
        extra=tuple(sorted(actual.keys() - common)),
    )


def manifest_rows(collection: Collection) -> list[ManifestRow]:
    """Return one row for each document of ``pydocs``, in order of ids."""
    query_of_document: dict[str, tuple[str, str]] = {}
    for split in ("train", "dev", "test"):
        queries = collection.queries[split]
        for query, text in zip(queries.ids, queries.texts, strict=True):
            query_of_document.update(dict.fromkeys(queries.known_relevant[query], (split, text)))
    versions = collection.about.get("versions")
    if not isinstance(versions, dict):
        raise UserError(
            f"collection {collection.name!r} has no package versions", fix="give the pydocs collection"
        )
    rows = []
    for document, text in zip(collection.document_ids, collection.documents, strict=True):
        package, name = document.split(":", 1)
        split, query = query_of_document.get(document, ("", ""))
        digest = hashlib.sha256(f"{query}\n{text}".encode()).hexdigest()[:12]
        rows.append(ManifestRow(package, str(versions[package]), name, digest, split))
    return rows


def read_manifest(path: Path = MANIFEST) -> list[ManifestRow]:
    """Read a manifest.

    Raises:
        UserError: the file is missing or corrupt.
    """
    fix = "check the file out again, or write it with `python -m harness.collections.pydocs.manifest --write`"
    try:
        header, *rows = csv.reader(io.StringIO(lzma.decompress(path.read_bytes()).decode()))
        if tuple(header) != COLUMNS:
            raise UserError(
                f"has columns {', '.join(header)}, not {', '.join(COLUMNS)}", where=str(path), fix=fix
            )
        return [ManifestRow(*row) for row in rows]
    except FileNotFoundError as error:
        raise UserError("file is missing", where=str(path), fix=fix) from error
    except (lzma.LZMAError, UnicodeDecodeError, ValueError, TypeError, csv.Error) as error:
        raise UserError(f"corrupt file ({error})", where=str(path), fix=fix) from error


def write_manifest(rows: Iterable[ManifestRow], path: Path = MANIFEST) -> None:
    """Write a manifest atomically; equal rows yield identical bytes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((row.package, row.version, row.name, row.text, row.split) for row in rows)
    write_bytes(path, lzma.compress(text.getvalue().encode(), preset=9))


def main(arguments: list[str] | None = None) -> int:
    """Build the collection, and compare it with the manifest or rewrite the manifest."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.collections.pydocs.manifest", description=__doc__
    )
    parser.add_argument(
        "--write", action="store_true", help="rewrite the manifest from what is installed here"
    )
    options = parser.parse_args(arguments)
    try:
        collection = build_pydocs()
        if options.write:
            write_manifest(manifest_rows(collection))
        sys.stdout.write(compare_with_manifest(collection).summary + "\n")
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
