"""The files that SimANS released: RocketQA's MS MARCO passages with titles, or DPR's files of Wikipedia.

Passages: ``para.txt`` (id, text), ``para.title.txt`` (id, title), ``train.query.txt``, ``dev.query.txt``
(id, text), ``qrels.train.tsv``, ``qrels.dev.tsv`` (query, document); ``qrels.train.addition.tsv`` has
documents that are relevant and no labels. ``train_ce_0.tsv`` (query, text, positives, negatives) replaces
the training queries and their judgements where these are missing. Wikipedia: DPR's files, with
``train_ce_0.json`` to train on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from harness.collections.layouts.dpr import PASSAGES, DprLayout
from harness.collections.layouts.files import Files
from harness.collections.layouts.rows import SPLITS, Document, Judgement, Layout, Query
from harness.collections.layouts.tables import tab_rows
from harness.errors import UserError

LAYOUT = (
    "the release of SimANS is a folder with para.txt, para.title.txt, train.query.txt, dev.query.txt, "
    f"qrels.train.tsv and qrels.dev.tsv; or {PASSAGES} with train_ce_0.json and nq-test.qa.csv"
)
_LISTS = ("query", "text", "positives", "negatives")
_PAIR = "write documents and scores as `id score,id score`"


def open_simans(files: Files) -> Layout:
    """Return the reader of what a folder of the release holds.

    Raises:
        UserError: a file is missing.
    """
    names = {PurePosixPath(name).name.removesuffix(".gz") for name in files.names()}
    return DprLayout(files, released=True) if PASSAGES in names else SimansLayout(files)


class SimansLayout:
    """MS MARCO passages as SimANS and RocketQA have them.

    Args:
        files: of the folder or archive.

    Raises:
        UserError: a file is missing.
    """

    unjudged: frozenset[str] = frozenset()

    def __init__(self, files: Files) -> None:
        self._files, self.layout, self.name = files, LAYOUT, files.name
        self.dropped: Counter[str] = Counter()
        self._corpus, self._titles = files.need("para.txt"), files.find("para.title.txt")
        self._lists: str | None = None
        self._judged, self._asked = {}, {}
        for split in SPLITS:
            qrels = files.find(f"qrels.{split}.tsv")
            if qrels is not None:
                self._judged[split] = qrels
                self._asked[split] = files.need(f"{split}.query.txt")
        if "train" not in self._judged:
            self._lists = _first_lists(files)
        if self._lists is not None:
            self._judged = {"train": self._lists, **self._judged}
        if not self._judged:
            raise UserError("no judgements", where=str(files.path), fix=LAYOUT)
        self._known = files.find("qrels.train.addition.tsv") if "train" in self._judged else None
        self.splits = {split: files.where(name) for split, name in self._judged.items()}
        self.documents_at = files.where(self._corpus)
        self.queries_at = files.where(self._asked.get("train") or next(iter(self._judged.values())))

    def documents(self, *, titles: bool) -> Iterator[Document]:
        """Yield the passages in the order of the file; the released code writes - where one has no title."""
        title_of: dict[str, str] = {}
        if titles and self._titles is not None:
            for where, (name, title) in tab_rows(self._files, self._titles, ("id", "title")):
                if name in title_of:
                    raise UserError(f"id '{name}' occurs twice", where=where, fix="keep one")
                title_of[name] = "" if title == "-" else title
        for where, (name, text) in tab_rows(self._files, self._corpus, ("id", "text")):
            yield Document(where, name, title_of.get(name, ""), text)

    def queries(self) -> Iterator[Query]:
        """Yield the queries, split by split."""
        if self._lists is not None:
            for where, (name, text, _, _) in tab_rows(self._files, self._lists, _LISTS):
                yield Query(where, name, text)
        for file in self._asked.values():
            for where, (name, text) in tab_rows(self._files, file, ("id", "text")):
                yield Query(where, name, text)

    def judgements(self, split: str) -> Iterator[Judgement]:
        """Yield the judgements of a split, and what else is known to be relevant for training queries."""
        if split == "train" and self._lists is not None:
            yield from self._of_lists(self._lists)
        else:
            yield from self._pairs(self._judged[split], label=True)
        if split == "train" and self._known is not None:
            yield from self._pairs(self._known, label=False)

    def content(self) -> str:
        """Return a hash of its files."""
        more = [name for name in (self._titles, self._known) if name is not None]
        return self._files.hash([self._corpus, *self._judged.values(), *self._asked.values(), *more])

    def _pairs(self, name: str, *, label: bool) -> Iterator[Judgement]:
        for where, (query, document) in tab_rows(self._files, name, ("query", "document")):
            yield Judgement(where, query, document, 1, label)

    def _of_lists(self, name: str) -> Iterator[Judgement]:
        """Yield the positives of the lists for the ranker; negatives are candidates, not judgements."""
        for where, (query, _, positives, _) in tab_rows(self._files, name, _LISTS):
            for pair in filter(None, positives.split(",")):
                document, blank, score = pair.strip().partition(" ")
                try:
                    float(score)
                except ValueError as error:
                    raise UserError(f"'{pair[:40]}' is no pair", where=where, fix=_PAIR) from error
                if blank:
                    yield Judgement(where, query, document, 1)


def _first_lists(files: Files) -> str | None:
    """Return the file of lists of the lowest round; none where there is none."""
    rounds = [
        (int(matched[1]), name)
        for name in files.names()
        if (matched := re.fullmatch(r"train_ce_(\d+)\.tsv(?:\.gz)?", name))
    ]
    return min(rounds)[1] if rounds else None
