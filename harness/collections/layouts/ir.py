"""Any data set of `ir_datasets` (MacAvaney et al. 2021), which downloads it and keeps it in its own folder.

An id such as ``msmarco-passage`` or ``dpr-w100/natural-questions`` names a collection with its usual
splits; one such as ``beir/scifact/test`` or ``msmarco-passage/trec-dl-2019/judged`` the queries that are
measured, too.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib.metadata import version
from typing import Any

from harness.collections.layouts.rows import SPLITS, Document, Judgement, Query, text_of
from harness.errors import UserError, nearest, told
from harness.storage.files import content_hash

LAYOUT = "ids of ir_datasets are listed at https://ir-datasets.com"
INSTALL = "install the extra `data`: pip install -c constraints.txt -e '.[data]'"

USUAL = {
    "train": ("train",),
    "dev": ("dev/small", "dev", "validation"),
    "test": ("test",),
}
"""Split -> how ids name it, the first that is there: of MS MARCO the 6,980 dev queries of the papers."""

_DOWNLOAD = (
    "see that the network is there and the disk has room, or put the file where ir_datasets looks for it, "
    "and run again"
)


class IrLayout:
    """A data set of `ir_datasets`.

    Args:
        name: its id.

    Raises:
        UserError: `ir_datasets` is not installed, has no such id, or the data set has no judgements.
    """

    unjudged: frozenset[str] = frozenset()

    def __init__(self, name: str) -> None:
        self.name, self.layout, self._library = name, LAYOUT, _library(name)
        self.dropped: Counter[str] = Counter()
        self.splits = self._splits(name)
        if not self.splits:
            fix = f"name another; {LAYOUT}"
            raise UserError("has no queries with judgements", where=f"ir:{name}", fix=fix)
        self.documents_at = self.queries_at = f"ir:{name}"
        self._of = {split: self._library.load(of) for split, of in self.splits.items()}

    def _splits(self, name: str) -> dict[str, str]:
        """Return split -> id of the data set with its queries and judgements."""
        known = set(self._library.registry)
        if name not in known and not any(other.startswith(f"{name}/") for other in known):
            raise UserError(f"ir_datasets has no '{name}'", where=f"ir:{name}", fix=nearest(name, known))
        if name not in known or not self._judged(name):
            return self._usual(name, known)
        for split, endings in USUAL.items():
            base = next((name[: -len(end) - 1] for end in endings if name.endswith(f"/{end}")), None)
            if base is not None:
                return _in_order({**self._usual(base, known), split: name})
        parents = (name.rsplit("/", depth)[0] for depth in range(1, name.count("/") + 1))
        of_parent = next((found for parent in parents if (found := self._usual(parent, known))), {})
        return _in_order({**of_parent, "test": name})

    def _usual(self, base: str, known: set[str]) -> dict[str, str]:
        """Return split -> id of the usual splits of a data set that are there."""
        found = {}
        for split, endings in USUAL.items():
            ids = (f"{base}/{end}" for end in endings)
            chosen = next((one for one in ids if one in known and self._judged(one)), None)
            if chosen is not None:
                found[split] = chosen
        return found

    def _judged(self, name: str) -> bool:
        of = self._library.load(name)
        return bool(of.has_docs() and of.has_queries() and of.has_qrels())

    def documents(self, *, titles: bool) -> Iterator[Document]:
        """Yield the documents in their order."""
        first = next(iter(self._of.values()))
        for where, document in self._read("document", first.docs_iter):
            title = getattr(document, "title", None) if titles else None
            title = "" if title is None else text_of(title, "title", where, LAYOUT)
            text = next((getattr(document, key) for key in ("text", "body") if hasattr(document, key)), None)
            text = document.default_text() if text is None else text
            yield Document(where, document.doc_id, title, text_of(text, "text", where, LAYOUT))

    def queries(self) -> Iterator[Query]:
        """Yield the queries, split by split."""
        for split in self._of:
            for where, query in self._queries_of(split):
                text = text_of(query.default_text(), "text", where, LAYOUT)
                answers = tuple(answer for answer in getattr(query, "answers", ()) if answer.strip())
                yield Query(where, self._id(split, query.query_id), text, answers)

    def judgements(self, split: str) -> Iterator[Judgement]:
        """Yield the judgements of a split."""
        for where, judged in self._read("judgement", self._of[split].qrels_iter):
            yield Judgement(where, self._id(split, judged.query_id), judged.doc_id, int(judged.relevance))

    def content(self) -> str:
        """Return a hash of the ids that are read and the version that reads them."""
        return content_hash(self.splits, version("ir_datasets"))

    def _queries_of(self, split: str) -> Iterator[tuple[str, Any]]:
        return self._read("query", self._of[split].queries_iter)

    def _id(self, split: str, query: str) -> str:
        return f"{split}-{query}" if self._numbered_anew else query

    @cached_property
    def _numbered_anew(self) -> bool:
        """Whether splits number their queries each from 0, as those of DPR do: an id is then of two texts."""
        texts: dict[str, str] = {}
        for split in self._of:
            for _, query in self._queries_of(split):
                if texts.setdefault(query.query_id, query.default_text()) != query.default_text():
                    return True
        return False

    def _read(self, what: str, opened: Any) -> Iterator[tuple[str, Any]]:
        """Yield what the library reads, each with its place; it may download files first."""
        place, number = f"ir:{self.name}", 0
        with _in_one_line(place):
            rows: Iterable[Any] = iter(opened())
        while True:
            with _in_one_line(place):
                row = next(rows, None)  # type: ignore[call-overload]
            if row is None:
                return
            number += 1
            yield f"{place}, {what} {number}", row


def _in_order(splits: dict[str, str]) -> dict[str, str]:
    return {split: splits[split] for split in SPLITS if split in splits}


def _in_one_line(place: str) -> Any:
    return told("ir_datasets could not download or read it", where=place, fix=_DOWNLOAD)


def _library(name: str) -> Any:
    """Return `ir_datasets`, whose own warnings about downloads end in our error.

    Raises:
        UserError: it is not installed.
    """
    try:
        import ir_datasets  # noqa: PLC0415  (an extra, and slow to import)
    except ImportError as error:
        raise UserError("ir_datasets is not installed", where=f"ir:{name}", fix=INSTALL) from error
    ir_datasets.log.easy().logger()
    logging.getLogger("ir_datasets").setLevel(logging.ERROR)
    return ir_datasets
