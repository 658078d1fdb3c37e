"""MS MARCO as Microsoft publishes it: passages, or documents.

Passages: ``collection.tsv`` (id, text), ``queries.train.tsv``, ``queries.dev.small.tsv`` (id, text),
``qrels.train.tsv``, ``qrels.dev.small.tsv`` (query, 0, document, grade). Documents: ``msmarco-docs.tsv``
(id, address, title, body), ``msmarco-doctrain-queries.tsv``, ``msmarco-doctrain-qrels.tsv`` and those of
``docdev``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.collections.layouts.files import Files
from harness.collections.layouts.rows import SPLITS, Document, Judgement, Query
from harness.collections.layouts.tables import tab_rows, trec_judgements
from harness.errors import UserError

LAYOUT = (
    "MS MARCO is a folder with collection.tsv, queries.train.tsv, queries.dev.small.tsv, qrels.train.tsv and "
    "qrels.dev.small.tsv; or msmarco-docs.tsv with msmarco-doctrain-queries.tsv, msmarco-doctrain-qrels.tsv "
    "and those of docdev"
)

VARIANTS = {"train": ("train",), "dev": ("dev.small", "dev"), "test": ("test",)}
"""Split -> how files name it, the first that is there: of dev the 6,980 queries that papers measure on."""


class MsMarcoLayout:
    """MS MARCO's passages or documents.

    Args:
        files: of the folder or archive.

    Raises:
        UserError: a file is missing.
    """

    unjudged: frozenset[str] = frozenset()

    def __init__(self, files: Files) -> None:
        self._files, self.layout, self.name = files, LAYOUT, files.name
        self.dropped: Counter[str] = Counter()
        self._long = files.find("msmarco-docs.tsv") is not None and files.find("collection.tsv") is None
        self._corpus = files.need("msmarco-docs.tsv" if self._long else "collection.tsv")
        found = {split: self._of_split(split) for split in SPLITS}
        self._split_files = {split: pair for split, pair in found.items() if pair is not None}
        if not self._split_files:
            raise UserError("no judgements", where=str(files.path), fix=LAYOUT)
        queries = next(iter(self._split_files.values()))[0]
        self.documents_at, self.queries_at = files.where(self._corpus), files.where(queries)
        self.splits = {split: files.where(qrels) for split, (_, qrels) in self._split_files.items()}

    def _of_split(self, split: str) -> tuple[str, str] | None:
        """Return the files of queries and judgements of a split; none where it is not there."""
        for variant in VARIANTS[split]:
            names = (f"queries.{variant}.tsv", f"qrels.{variant}.tsv")
            if self._long:
                names = (f"msmarco-doc{variant}-queries.tsv", f"msmarco-doc{variant}-qrels.tsv")
            qrels = self._files.find(names[1])
            if qrels is not None:
                return self._files.need(names[0]), qrels
        return None

    def documents(self, *, titles: bool) -> Iterator[Document]:
        """Yield the documents in the order of the file; passages have no titles."""
        if self._long:
            for where, (name, _, title, body) in tab_rows(
                self._files, self._corpus, ("id", "address", "title", "body")
            ):
                yield Document(where, name, title if titles else "", body)
        else:
            for where, (name, text) in tab_rows(self._files, self._corpus, ("id", "text")):
                yield Document(where, name, "", text)

    def queries(self) -> Iterator[Query]:
        """Yield the queries, split by split."""
        for queries, _ in self._split_files.values():
            for where, (name, text) in tab_rows(self._files, queries, ("id", "text")):
                yield Query(where, name, text)

    def judgements(self, split: str) -> Iterator[Judgement]:
        """Yield the judgements of a split."""
        yield from trec_judgements(self._files, self._split_files[split][1])

    def content(self) -> str:
        """Return a hash of its files."""
        used = [name for pair in self._split_files.values() for name in pair]
        return self._files.hash([self._corpus, *used])
