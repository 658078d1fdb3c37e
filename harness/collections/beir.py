"""A collection of your own, in the layout of BEIR (Thakur et al. 2021).

Each line of ``corpus.jsonl`` has ``_id``, ``title`` and ``text`` of a document, each line of
``queries.jsonl`` has ``_id`` and ``text`` of a query, and may have ``answers``; ``qrels/train.tsv``,
``dev.tsv`` and ``test.tsv`` have a header, and query, document and grade on each line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.collections.account import account
from harness.collections.answers import tokens_in
from harness.collections.collection import RELEVANT, Collection, OwnDocuments, Queries
from harness.errors import UserError
from harness.storage.files import files_hash
from harness.storage.places import folder_from, written_path

Judgements = dict[str, dict[str, int]]
"""Query id -> document id -> grade."""

SPLITS = ("train", "dev", "test")
DEV_SHARE = 0.1
HIGHEST = 1_000_000
"""Highest grade; the measures are computed in C."""

Absent = Literal["refused", "dropped"]
"""What becomes of a judgement of a query or document that is not there."""

_LINE = 'write {"_id": "...", "text": "..."}'
_ANSWERS = 'write "answers": ["...", "..."]'
_LAYOUT = (
    "a collection is a folder with corpus.jsonl, queries.jsonl and qrels/train.tsv, dev.tsv or test.tsv, as "
    "docs/your-own-collection.md shows"
)


def data_folder(folder: str) -> Path:
    """Resolve a folder of a spec against HARNESS_DATA, or else the working directory."""
    return folder_from("HARNESS_DATA", ".") / written_path(folder, "folder")


def load_beir(
    folder: Path | str,
    *,
    titles: bool = False,
    dev_share: float = DEV_SHARE,
    own_documents: OwnDocuments = "out",
    absent: Absent = "refused",
) -> Collection:
    """Read a collection, with the splits that have judgements.

    Grades are doubled: all documents that BEIR calls relevant (grade 1 and above) then reach our grade of
    relevance, so that binary measures count them, and nDCG, whose gain is the grade, does not change.

    Args:
        folder: folder with `corpus.jsonl`, `queries.jsonl` and `qrels/`.
        titles: whether to prepend a document's title to its text.
        dev_share: share of the training queries to hold out as ``dev`` if there is no `qrels/dev.tsv`, in
            [0, 1): those whose ids have the smallest hashes. With 0 there is no ``dev``.
        own_documents: whether a document with the id of a query is taken ``out`` of that query's rankings and
            candidates, as BEIR does, or ``kept``.
        absent: whether judgements of queries or documents that are not there are ``refused`` or ``dropped``;
            some collections are published with a few (ArguAna).

    Raises:
        UserError: a file is missing, a line of one is invalid, a query is in two splits, or no query of a
            split has a relevant document.
    """
    folder = Path(folder)
    paths = _files(folder)
    if not 0 <= dev_share < 1:
        raise UserError(f"dev_share {dev_share} is not a share", fix="give a number from 0 to below 1")
    documents, starts = _documents(paths["corpus"], titles=titles)
    texts, answers = _asked(paths["queries"])
    reader = _Judge(set(texts), set(documents), absent)
    judged = {split: reader.read(paths[split]) for split in SPLITS if split in paths}
    carved = "train" in judged and "dev" not in judged and dev_share > 0
    if carved:
        judged |= _split_off_dev(judged["train"], dev_share, paths["train"])
    queries = {split: _queries(texts, judged[split], answers) for split in SPLITS if judged.get(split)}
    about: dict[str, object] = {"titles": titles, "dev": "held back from train" if carved else "as given"}
    name = f"beir/{folder.resolve().name}"
    ids, passages = tuple(documents), tuple(documents.values())
    collection = Collection(name, False, ids, passages, queries, about, own_documents, starts)
    about["account"] = account(collection, dropped=reader.dropped)
    return collection


def judged_splits(folder: Path) -> list[str]:
    """Return the splits for which a collection has a file of judgements.

    Raises:
        UserError: a file is missing.
    """
    files = _files(folder)
    return [split for split in SPLITS if split in files]


def beir_hash(folder: Path) -> str:
    """Return a hash of the files of a collection.

    Raises:
        UserError: a file is missing.
    """
    return files_hash(folder, list(_files(folder).values()))


def _files(folder: Path) -> dict[str, Path]:
    """Return name -> path of the files, with the judgements under their splits."""
    files = {name: folder / f"{name}.jsonl" for name in ("corpus", "queries")}
    if not folder.is_dir():
        raise UserError("no such folder", where=str(folder), fix=_LAYOUT)
    for path in files.values():
        if not path.exists():
            raise UserError("file is missing", where=str(path), fix=_LAYOUT)
    qrels = {split: folder / "qrels" / f"{split}.tsv" for split in SPLITS}
    judgements = {split: path for split, path in qrels.items() if path.exists()}
    if not judgements:
        names = ", ".join(path.name for path in qrels.values())
        raise UserError(f"contains none of {names}", where=str(folder / "qrels"), fix=_LAYOUT)
    return files | judgements


def _documents(path: Path, *, titles: bool) -> tuple[dict[str, str], tuple[int, ...]]:
    """Return id -> text, in the order of the file, and where texts start after titles, if any are read."""
    documents, starts = {}, []
    for where, entry, name in _entries(path):
        title = _text_of(entry, "title", where, default="") if titles else ""
        joined = f"{title} {_text_of(entry, 'text', where)}"
        documents[name] = joined.strip()
        starts.append(max(0, len(title) + 1 - (len(joined) - len(joined.lstrip()))))
    return documents, tuple(starts) if titles else ()


def _asked(path: Path) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return id -> text of queries, in the order of the file, and id -> answers of those that have some."""
    texts, answers = {}, {}
    for where, entry, name in _entries(path):
        texts[name] = _text_of(entry, "text", where).strip()
        if given := _answers_of(entry, where):
            answers[name] = given
    return texts, answers


def _answers_of(entry: dict[str, Any], where: str) -> tuple[str, ...]:
    """Return the answers of a query: below its key `answers`, or that of its metadata, or both."""
    metadata = entry.get("metadata")
    answers: dict[str, None] = {}
    for holder in (entry, metadata if isinstance(metadata, dict) else {}):
        given = holder.get("answers")
        if not isinstance(given, list | None):
            raise UserError("'answers' is no list", where=where, fix=_ANSWERS)
        for answer in given or []:
            text = _text_of({"answers": answer}, "answers", where, fix=_ANSWERS)
            if not tokens_in(text):
                what = "an answer without a letter, digit or sign, which every passage would hold"
                raise UserError(what, where=where, fix="leave it out")
            answers[text] = None
    return tuple(answers)


def _entries(path: Path) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the lines of a file: where each stands, what it holds, and its id."""
    known = set()
    for where, line in _lines(path):
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise UserError(f"broken JSON ({error})", where=where, fix="write one object per line") from error
        name = _text_of(entry, "_id", where)
        if name in known:
            raise UserError(f"id '{name}' occurs twice", where=where, fix="keep one")
        known.add(name)
        yield where, entry, name
    if not known:
        raise UserError("is empty", where=str(path), fix=_LAYOUT)


def _text_of(entry: Any, key: str, where: str, default: str | None = None, fix: str = _LINE) -> str:
    value = entry.get(key) if isinstance(entry, dict) else None
    value = default if value is None else value
    if not isinstance(value, str) or (key == "_id" and not value):
        what = f"'{key}' is {'missing' if value is None else 'not a text'}"
        raise UserError(what, where=where, fix=fix)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        what = f"'{key}' has half of a surrogate pair at letter {error.start + 1}, which no file can hold"
        raise UserError(what, where=where, fix="write the whole character, or leave it out") from error
    return value


@dataclass
class _Judge:
    """Reads judgements of one split after the other.

    Attributes:
        queries: ids of all queries.
        documents: ids of all documents.
        absent: what becomes of judgements of others.
        dropped: how many of those were left out.
        split_of: query id -> name of the file that judges it.
    """

    queries: set[str]
    documents: set[str]
    absent: Absent
    dropped: int = 0
    split_of: dict[str, str] = field(default_factory=dict)

    def read(self, path: Path) -> Judgements:
        """Return the judgements of a split, with doubled grades; those below 0 count as 0."""
        judgements: Judgements = {}
        for number, (where, line) in enumerate(_lines(path)):
            fields = line.decode(errors="replace").rstrip("\r\n").split("\t")
            if number == 0:
                _refuse_headless(fields, where)
                continue
            grade = _grade(fields, where)
            query, document = fields[:2]
            if not self._there(query, document, where):
                continue
            self._refuse_second_split(query, path.name, where)
            if document in judgements.setdefault(query, {}):
                what = f"document '{document}' is judged twice for query '{query}'"
                raise UserError(what, where=where, fix="keep one")
            judgements[query][document] = RELEVANT * max(grade, 0)
        if not judgements:
            raise UserError("has no judgements", where=str(path), fix="fill it, or delete it")
        if not any(grade for judged in judgements.values() for grade in judged.values()):
            fix = "give relevant documents a grade of 1 and above, or delete the file"
            raise UserError("no query has a relevant document", where=str(path), fix=fix)
        return judgements

    def _there(self, query: str, document: str, where: str) -> bool:
        """Return whether query and document are there; a judgement of others is refused or counted."""
        for kind, name, known in (("query", query, self.queries), ("document", document, self.documents)):
            if name in known:
                continue
            if self.absent == "refused":
                file = "queries.jsonl" if kind == "query" else "corpus.jsonl"
                fix = "add it, drop the line, or set `absent: dropped` in the dataset's parameters"
                raise UserError(f"{kind} '{name}' is not in {file}", where=where, fix=fix)
            self.dropped += 1
            return False
        return True

    def _refuse_second_split(self, query: str, file: str, where: str) -> None:
        """Refuse a query that another split has: it would be tested on what it was trained on."""
        before = self.split_of.setdefault(query, file)
        if before != file:
            what = f"query '{query}' is judged in {before}, too"
            raise UserError(what, where=where, fix="keep it in one of the two files")


def _refuse_headless(fields: list[str], where: str) -> None:
    """Refuse a first line that ends in a number: it is a judgement, which would be lost."""
    try:
        float(fields[-1])
    except ValueError:
        return
    fix = "write query-id, corpus-id and score above it, with tabs between"
    raise UserError("a judgement instead of a header", where=where, fix=fix)


def _grade(fields: list[str], where: str) -> int:
    """Return the grade of a line of judgements."""
    try:
        _, _, text = fields
        grade = int(text)
    except ValueError as error:
        fix = "write query, document and a whole number, with tabs between"
        raise UserError("not a judgement", where=where, fix=fix) from error
    if grade > HIGHEST:
        raise UserError(f"grade {grade:.3g} is not a grade", where=where, fix=f"give at most {HIGHEST:,}")
    return grade


def _split_off_dev(train: Judgements, share: float, path: Path) -> dict[str, Judgements]:
    """Split training queries into ``train`` and ``dev``, which gets the smallest hashes of ids."""
    if len(train) == 1:
        what = "one query, of which none is left to train on when dev is held back"
        raise UserError(what, where=str(path), fix="add queries, or qrels/dev.tsv")
    order = sorted(train, key=lambda query: hashlib.sha256(query.encode()).digest())
    dev = set(order[: max(1, round(share * len(order)))])
    return {
        "train": {query: judged for query, judged in train.items() if query not in dev},
        "dev": {query: judged for query, judged in train.items() if query in dev},
    }


def _queries(texts: dict[str, str], judged: Judgements, answers: dict[str, tuple[str, ...]]) -> Queries:
    ids = tuple(query for query in texts if query in judged)
    relevant = {
        query: tuple(document for document, grade in judged[query].items() if grade >= RELEVANT)
        for query in ids
    }
    answered = {query: answers[query] for query in ids if query in answers}
    return Queries(ids, tuple(texts[query] for query in ids), {q: judged[q] for q in ids}, relevant, answered)


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the lines of a file that are not empty, each with its path and line number."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield f"{path}:{number}", line
