"""A data set of the Hugging Face hub in parquet, as BEIR and MTEB publish theirs.

Files whose name or folder begins with ``corpus`` hold documents (``_id``, ``title``, ``text``), with
``queries`` queries (``_id``, ``text``); ``data/``, ``default/`` or ``qrels/`` judgements (``query-id``,
``corpus-id``, ``score``) by split, in parquet or, as in BEIR's own data sets of judgements, TSV. Parts are
read in the order of their names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Any

from harness.collections.layouts.beir import tab_judgements
from harness.collections.layouts.files import AGAIN, Files, damage_as_error
from harness.collections.layouts.rows import SPLITS, Document, Judgement, Query, text_of
from harness.errors import UserError, told

LAYOUT = (
    "a data set of the hub is a folder with corpus/*.parquet, queries/*.parquet, and judgements in "
    "qrels/, data/ or default/, such as qrels/test-00000-of-00001.parquet or qrels/test.tsv"
)
_OF_SPLIT = {"train": "train", "dev": "dev", "validation": "dev", "test": "test"}
_SPLIT = re.compile(rf"({'|'.join(_OF_SPLIT)})(?=[-.]|$)")
_ROWS = 4096


class ParquetLayout:
    """A data set of the hub.

    Args:
        files: of the folder or archive.

    Raises:
        UserError: documents, queries or judgements are missing.
    """

    unjudged: frozenset[str] = frozenset()

    def __init__(self, files: Files) -> None:
        self._files, self.layout, self.name = files, LAYOUT, files.name
        self.dropped: Counter[str] = Counter()
        self._corpus: list[str] = []
        self._queries: list[str] = []
        found: dict[str, list[str]] = {}
        for name in files.names():
            if not name.endswith((".parquet", ".tsv", ".tsv.gz")) or name.startswith("."):
                continue
            part = _part_of(name)
            if part in ("corpus", "queries"):
                (self._corpus if part == "corpus" else self._queries).append(name)
            elif part is not None:
                found.setdefault(part, []).append(name)
        for what, names in (("corpus", self._corpus), ("queries", self._queries)):
            if not names:
                raise UserError("file is missing", where=f"{files.path}/{what}/*.parquet", fix=LAYOUT)
        if not found:
            raise UserError("no judgements", where=str(files.path), fix=LAYOUT)
        self._judged = {split: found[split] for split in SPLITS if split in found}
        self.splits = {split: files.where(names[0]) for split, names in self._judged.items()}
        self.documents_at, self.queries_at = files.where(self._corpus[0]), files.where(self._queries[0])

    def documents(self, *, titles: bool) -> Iterator[Document]:
        """Yield the documents, part by part."""
        for where, row in self._rows(self._corpus, ("_id", "text"), ("title",) if titles else ()):
            title = row.get("title")
            title = "" if title is None else text_of(title, "title", where, LAYOUT)
            yield Document(where, _id_of(row["_id"], where), title, _text(row, where))

    def queries(self) -> Iterator[Query]:
        """Yield the queries, part by part."""
        for where, row in self._rows(self._queries, ("_id", "text"), ("answers",)):
            answers = row.get("answers") or []
            given = tuple(text_of(answer, "answers", where, LAYOUT) for answer in answers)
            yield Query(where, _id_of(row["_id"], where), _text(row, where), given)

    def judgements(self, split: str) -> Iterator[Judgement]:
        """Yield the judgements of a split, part by part."""
        for name in self._judged[split]:
            if name.endswith(".parquet"):
                columns = ("query-id", "corpus-id", "score")
                for where, row in self._rows([name], columns, ()):
                    query, document, score = (row[column] for column in columns)
                    if not isinstance(score, int | float) or score != int(score):
                        raise UserError(f"score '{score}' is no whole number", where=where, fix="write one")
                    yield Judgement(where, _id_of(query, where), _id_of(document, where), int(score))
            else:
                yield from tab_judgements(self._files, name)

    def content(self) -> str:
        """Return a hash of its files."""
        judged = [name for names in self._judged.values() for name in names]
        return self._files.hash([*self._corpus, *self._queries, *judged])

    def _rows(
        self, names: list[str], needed: tuple[str, ...], others: tuple[str, ...]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the rows of some files, each with its place; other columns where they are there."""
        for name in names:
            place = self._files.where(name)
            with self._files.open(name) as stream:
                number = 0
                for batch in _batches(stream, place, needed, others):
                    for row in batch:
                        number += 1
                        yield f"{place}, row {number}", row


def _batches(
    stream: IO[bytes], place: str, needed: tuple[str, ...], others: tuple[str, ...]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a parquet file, some thousand at once."""
    import pyarrow.parquet as pq  # noqa: PLC0415  (slow to import, and not needed to read specs)

    with told("no parquet, or damaged", where=place, fix=AGAIN):
        file = pq.ParquetFile(stream)
        there = set(file.schema_arrow.names)
    missing = [column for column in needed if column not in there]
    if missing:
        raise UserError(f"column '{missing[0]}' is missing", where=place, fix=LAYOUT)
    batches = file.iter_batches(_ROWS, columns=[*needed, *(column for column in others if column in there)])
    while True:
        with told("damaged", where=place, fix=AGAIN), damage_as_error(place):
            batch = next(batches, None)
            rows = None if batch is None else batch.to_pylist()
        if rows is None:
            return
        yield rows


def _part_of(name: str) -> str | None:
    """Return what a file holds: ``corpus``, ``queries``, or judgements of a split; none of other files."""
    parts = PurePosixPath(name).parts
    for what in ("corpus", "queries"):
        if any(part.startswith(what) for part in parts):
            return what if name.endswith(".parquet") else None
    matched = next((m for part in reversed(parts) if (m := _SPLIT.match(part))), None)
    return None if matched is None else _OF_SPLIT[matched[1]]


def _id_of(value: Any, where: str) -> str:
    """Return an id, which some data sets of judgements have as a number."""
    return text_of(str(value) if isinstance(value, int) else value, "_id", where, LAYOUT)


def _text(row: dict[str, Any], where: str) -> str:
    return text_of(row["text"], "text", where, LAYOUT)
