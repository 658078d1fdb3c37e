"""A collection of what the reader of a layout yields: checked, with the splits that have judgements."""

from __future__ import annotations

import hashlib
import itertools
from array import array
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal, TypedDict

from harness.collections.account import account
from harness.collections.answers import AnswersAre, checked_answer
from harness.collections.collection import RELEVANT, Collection, OwnDocuments, Queries
from harness.collections.layouts.rows import SPLITS, Judgement, Layout, Query
from harness.collections.texts import Numbering, PackedTexts, TextSpool
from harness.errors import UserError

Judgements = dict[str, dict[str, int]]
"""Query id -> document id -> grade."""

DEV_SHARE = 0.1
HIGHEST = 1_000_000
"""Highest grade; the measures are computed in C."""

Absent = Literal["refused", "dropped"]
"""What becomes of a judgement of a query or document that is not there."""


Titles = bool | Literal["pair"]
"""Whether titles are read, joined with their texts, or as a pair."""


class Choices(TypedDict, total=False):
    """What a spec may choose of any collection of one's own; `assemble` explains it."""

    titles: Titles
    dev_share: float
    own_documents: OwnDocuments
    absent: Absent
    answers_are: AnswersAre


def assemble(
    kind: str,
    layout: Layout,
    *,
    titles: Titles = False,
    dev_share: float = DEV_SHARE,
    own_documents: OwnDocuments = "out",
    absent: Absent = "refused",
    answers_are: AnswersAre = "texts",
) -> Collection:
    """Read a collection, with the splits that have judgements.

    Grades are doubled: all documents that are published as relevant (grade 1 and above) then reach our grade
    of relevance, so that binary measures count them, and nDCG, whose gain is the grade, does not change.

    Args:
        kind: kind of the collection, the first part of its name.
        layout: its reader.
        titles: whether to prepend a document's title to its text; with ``pair`` an encoder reads both as the
            segments of a pair, ``[CLS] title [SEP] text [SEP]``, as DPR, AR2 and SimANS do (SimXNS at
            0163380, `utils/util_wiki.py`).
        dev_share: share of the training queries to hold out as ``dev`` if none is given, in [0, 1): those
            whose ids have the smallest hashes. With 0 there is no ``dev``.
        own_documents: whether a document with the id of a query is taken ``out`` of that query's rankings and
            candidates, as BEIR does, or ``kept``.
        absent: whether judgements of queries or documents that are not there are ``refused`` or ``dropped``;
            some collections are published with a few (ArguAna).
        answers_are: ``texts``, or ``patterns`` (regular expressions), as those of CuratedTREC.

    Raises:
        UserError: a file is missing, a line of one is invalid, a query is in two splits, or no query of a
            split has a relevant document.
    """
    if not 0 <= dev_share < 1:
        raise UserError(f"dev_share {dev_share} is not a share", fix="give a number from 0 to below 1")
    ids, passages, starts = _documents(layout, titles=bool(titles))
    texts, answers = _asked(layout, answers_are)
    numbers = _numbered(ids, layout, titles=bool(titles))
    judge = _Judge(layout, set(texts), numbers, set(answers), absent)
    judged = {split: judge.read(split) for split in SPLITS if split in layout.splits}
    carved = "train" in judged and "dev" not in judged and dev_share > 0
    if carved:
        judged |= _split_off_dev(judged["train"], dev_share, layout.splits["train"])
    queries = {
        split: _queries(texts, judged[split], answers, judge.known) for split in SPLITS if judged.get(split)
    }
    about: dict[str, object] = {"titles": titles, "dev": "held back from train" if carved else "as given"}
    dropped = _dropped(layout, judge, len(texts) - sum(map(len, queries.values())))
    if dropped:
        about["dropped"] = dropped
    collection = Collection(
        f"{kind}/{layout.name}", False, ids, passages, queries, about, own_documents, starts, answers_are,
        "pair" if titles == "pair" else "joined",
    )  # fmt: skip
    about["account"] = account(collection, dropped=judge.dropped)
    return collection


def _dropped(layout: Layout, judge: _Judge, unasked: int) -> dict[str, int]:
    """Return what was left out, in words -> how many."""
    dropped = Counter(layout.dropped)
    dropped["judgements of queries or documents that are not there"] += judge.dropped
    dropped["queries of no split: no judgement of them is given"] += unasked
    return {why: count for why, count in dropped.items() if count}


def _documents(layout: Layout, *, titles: bool) -> tuple[PackedTexts, PackedTexts, tuple[int, ...]]:
    """Return ids and texts in the order of the files, and where texts start after titles, if any are read."""
    names, texts, starts = TextSpool(), TextSpool(), array("q")
    for where, name, title, text in layout.documents(titles=titles):
        _check_id(name, where)
        joined = f"{title if titles else ''} {text}"
        names.add(name)
        texts.add(joined.strip())
        starts.append(max(0, (len(title) if titles else 0) + 1 - (len(joined) - len(joined.lstrip()))))
    if not starts:
        raise UserError("is empty", where=layout.documents_at, fix=layout.layout)
    return names.packed(), texts.packed(), tuple(starts) if titles else ()


def _numbered(ids: PackedTexts, layout: Layout, *, titles: bool) -> Numbering:
    """Return what finds the documents by their ids, of which none occurs twice."""
    numbers = Numbering(ids)
    if (twice := numbers.repeated) is not None:
        again = next(itertools.islice(layout.documents(titles=titles), twice, None))
        raise _occurs_twice(again.id, again.where)
    return numbers


def _asked(layout: Layout, answers_are: AnswersAre) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return id -> text of queries, in the order of the files, and id -> answers of those that have some."""
    texts: dict[str, str] = {}
    answers = {}
    for query in layout.queries():
        _check_id(query.id, query.where)
        if query.id in texts:
            raise _occurs_twice(query.id, query.where)
        texts[query.id] = query.text.strip()
        if query.answers:
            answers[query.id] = _answers(query, answers_are)
    if not texts:
        raise UserError("is empty", where=layout.queries_at, fix=layout.layout)
    return texts, answers


def _check_id(name: str, where: str) -> None:
    if not name:
        raise UserError("'_id' is missing", where=where, fix="give it an id")


def _occurs_twice(name: str, where: str) -> UserError:
    return UserError(f"id '{name}' occurs twice", where=where, fix="keep one")


def _answers(query: Query, answers_are: AnswersAre) -> tuple[str, ...]:
    """Return the answers of a query, each once."""
    return tuple(dict.fromkeys(checked_answer(answer, answers_are, query.where) for answer in query.answers))


@dataclass
class _Judge:
    """Reads judgements of one split after the other.

    Attributes:
        layout: what they are read from.
        queries: ids of all queries.
        documents: ids of all documents.
        answered: ids of queries that have answers.
        absent: what becomes of judgements of others.
        dropped: how many of those were left out.
        known: query id -> documents known to be relevant that are no labels.
        split_of: query id -> name of the file that judges it.
    """

    layout: Layout
    queries: set[str]
    documents: Container[str]
    answered: set[str]
    absent: Absent
    dropped: int = 0
    known: dict[str, dict[str, None]] = field(default_factory=dict)
    split_of: dict[str, str] = field(default_factory=dict)

    def read(self, split: str) -> Judgements:
        """Return the judgements of a split, with doubled grades; those below 0 count as 0."""
        judgements: Judgements = {}
        place = self.layout.splits[split]
        for judgement in self.layout.judgements(split):
            if not self._there(judgement):
                continue
            self._refuse_second_split(judgement, PurePosixPath(place).name)
            self._take(judgement, judgements.setdefault(judgement.query, {}))
        if not judgements:
            raise UserError("has no judgements", where=place, fix="fill it, or delete it")
        relevant = any(grade for judged in judgements.values() for grade in judged.values())
        if not relevant and self.answered.isdisjoint(judgements):
            fix = "give relevant documents a grade of 1 and above, or delete the file"
            raise UserError("no query has a relevant document", where=place, fix=fix)
        return judgements

    def _take(self, judgement: Judgement, judged: dict[str, int]) -> None:
        """Write down a judgement beside the others of its query."""
        where, query, document, grade, label = judgement
        if document is None:
            return
        if not label:
            self.known.setdefault(query, {})[document] = None
            return
        if document in judged:
            what = f"document '{document}' is judged twice for query '{query}'"
            raise UserError(what, where=where, fix="keep one")
        if grade > HIGHEST:
            raise UserError(f"grade {grade:.3g} is not a grade", where=where, fix=f"give at most {HIGHEST:,}")
        judged[document] = RELEVANT * max(grade, 0)

    def _there(self, judgement: Judgement) -> bool:
        """Return whether query and document are there; a judgement of others is refused or counted."""
        at = {"query": self.layout.queries_at, "document": self.layout.documents_at}
        asked = (("query", judgement.query, self.queries), ("document", judgement.document, self.documents))
        for kind, name, known in asked:
            if name is None or name in known:
                continue
            if self.absent == "refused":
                fix = "add it, drop the line, or set `absent: dropped` in the dataset's parameters"
                what = f"{kind} '{name}' is not in {PurePosixPath(at[kind]).name}"
                raise UserError(what, where=judgement.where, fix=fix)
            self.dropped += 1
            return False
        return True

    def _refuse_second_split(self, judgement: Judgement, file: str) -> None:
        """Refuse a query that another split has: it would be tested on what it was trained on."""
        before = self.split_of.setdefault(judgement.query, file)
        if before != file:
            what = f"query '{judgement.query}' is judged in {before}, too"
            raise UserError(what, where=judgement.where, fix="keep it in one of the two files")


def _split_off_dev(train: Judgements, share: float, place: str) -> dict[str, Judgements]:
    """Split training queries into ``train`` and ``dev``, which gets the smallest hashes of ids."""
    if len(train) == 1:
        what = "one query, of which none is left to train on when dev is held back"
        raise UserError(what, where=place, fix="add queries, or qrels/dev.tsv")
    order = sorted(train, key=lambda query: hashlib.sha256(query.encode()).digest())
    dev = set(order[: max(1, round(share * len(order)))])
    return {
        "train": {query: judged for query, judged in train.items() if query not in dev},
        "dev": {query: judged for query, judged in train.items() if query in dev},
    }


def _queries(
    texts: dict[str, str],
    judged: Judgements,
    answers: dict[str, tuple[str, ...]],
    known: dict[str, dict[str, None]],
) -> Queries:
    ids = tuple(query for query in texts if query in judged)
    relevant = {query: tuple(_relevant(judged[query], known.get(query, ()))) for query in ids}
    answered = {query: answers[query] for query in ids if query in answers}
    return Queries(ids, tuple(texts[query] for query in ids), {q: judged[q] for q in ids}, relevant, answered)


def _relevant(judged: dict[str, int], known: Iterable[str]) -> dict[str, None]:
    labelled = (document for document, grade in judged.items() if grade >= RELEVANT)
    return dict.fromkeys([*labelled, *known])
