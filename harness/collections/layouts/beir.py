"""The layout of BEIR (Thakur et al. 2021), in a folder or an archive, plain or gzip.

Each line of ``corpus.jsonl`` has ``_id``, ``title`` and ``text`` of a document, each line of
``queries.jsonl`` has ``_id`` and ``text`` of a query, and may have ``answers``; ``qrels/train.tsv``,
``dev.tsv`` and ``test.tsv`` have a header, and query, document and grade on each line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from harness.collections.layouts.files import Files
from harness.collections.layouts.rows import SPLITS, Document, Judgement, Query, text_of
from harness.errors import UserError

LAYOUT = (
    "a collection is a folder with corpus.jsonl, queries.jsonl and qrels/train.tsv, dev.tsv or test.tsv, as "
    "docs/your-own-collection.md shows"
)
_LINE = 'write {"_id": "...", "text": "..."}'
_ANSWERS = 'write "answers": ["...", "..."]'


class BeirLayout:
    """A collection in BEIR's layout.

    Args:
        files: of the folder or archive.

    Raises:
        UserError: a file is missing.
    """

    unjudged: frozenset[str] = frozenset()

    def __init__(self, files: Files) -> None:
        self._files, self.layout, self.name = files, LAYOUT, files.name
        self.dropped: Counter[str] = Counter()
        self._corpus, self._queries = files.need("corpus.jsonl"), files.need("queries.jsonl")
        found = {split: files.find(f"qrels/{split}.tsv") for split in SPLITS}
        self._qrels = {split: name for split, name in found.items() if name is not None}
        if not self._qrels:
            names = ", ".join(f"{split}.tsv" for split in SPLITS)
            raise UserError(f"contains none of {names}", where=files.where("qrels"), fix=LAYOUT)
        self.documents_at, self.queries_at = files.where(self._corpus), files.where(self._queries)
        self.splits = {split: files.where(name) for split, name in self._qrels.items()}

    def documents(self, *, titles: bool) -> Iterator[Document]:
        """Yield the documents in the order of the file."""
        for where, entry in json_lines(self._files, self._corpus):
            title = entry.get("title") if titles else None
            title = "" if title is None else text_of(title, "title", where, _LINE)
            yield Document(where, _id(entry, where), title, text_of(entry.get("text"), "text", where, _LINE))

    def queries(self) -> Iterator[Query]:
        """Yield the queries in the order of the file, with answers of the key `answers` or the metadata."""
        for where, entry in json_lines(self._files, self._queries):
            text = text_of(entry.get("text"), "text", where, _LINE)
            yield Query(where, _id(entry, where), text, tuple(_answers_of(entry, where)))

    def judgements(self, split: str) -> Iterator[Judgement]:
        """Yield the judgements of a split."""
        yield from tab_judgements(self._files, self._qrels[split])

    def content(self) -> str:
        """Return a hash of its files."""
        return self._files.hash([self._corpus, self._queries, *self._qrels.values()])


def json_lines(files: Files, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the JSON objects of a file, one a line, each with its place."""
    for where, line in files.lines(name):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"broken JSON ({error})", where=where, fix="write one object per line") from error
        yield where, entry if isinstance(entry, dict) else {}


def tab_judgements(files: Files, name: str) -> Iterator[Judgement]:
    """Yield judgements of query, document and grade, below a header, with tabs between."""
    for number, (where, line) in enumerate(files.lines(name)):
        fields = line.decode(errors="replace").rstrip("\r\n").split("\t")
        if number == 0:
            _refuse_headless(fields, where)
            continue
        try:
            query, document, grade = fields[0], fields[1], int(fields[2] if len(fields) == 3 else "")
        except (ValueError, IndexError) as error:
            fix = "write query, document and a whole number, with tabs between"
            raise UserError("not a judgement", where=where, fix=fix) from error
        yield Judgement(where, query, document, grade)


def _refuse_headless(fields: list[str], where: str) -> None:
    """Refuse a first line that ends in a number: it is a judgement, which would be lost."""
    try:
        float(fields[-1])
    except ValueError:
        return
    fix = "write query-id, corpus-id and score above it, with tabs between"
    raise UserError("a judgement instead of a header", where=where, fix=fix)


def _id(entry: dict[str, Any], where: str) -> str:
    return text_of(entry.get("_id"), "_id", where, _LINE)


def _answers_of(entry: dict[str, Any], where: str) -> Iterator[str]:
    """Yield the answers of a query: below its key `answers`, or that of its metadata, or both."""
    metadata = entry.get("metadata")
    for holder in (entry, metadata if isinstance(metadata, dict) else {}):
        given = holder.get("answers")
        if not isinstance(given, list | None):
            raise UserError("'answers' is no list", where=where, fix=_ANSWERS)
        for answer in given or []:
            yield text_of(answer, "answers", where, _ANSWERS)
