"""The files of DPR (Karpukhin et al. 2020): passages of Wikipedia, questions with answers, their positives.

``psgs_w100.tsv`` has a header, and id, text and title; ``nq-train.json`` or ``biencoder-nq-train.json`` a
list of questions with ``answers`` and ``positive_ctxs``; ``nq-test.qa.csv`` a question and a Python list of
answers on each line. Files may lie in folders below, as DPR's download puts them.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

from harness.collections.layouts.files import Files
from harness.collections.layouts.rows import SPLITS, Document, Judgement, Query, text_of
from harness.collections.layouts.tables import json_records, quoted_rows
from harness.errors import UserError, nearest

Positives = Literal["first", "all"]
"""Which positive passages of a question are labels: the first, as DPR, AR2 and SimANS train, or all."""

PASSAGES = "psgs_w100.tsv"
LAYOUT = (
    f"DPR's files are {PASSAGES}, nq-train.json or biencoder-nq-train.json, nq-dev.qa.csv and "
    "nq-test.qa.csv, or those of another dataset in the place of nq"
)
_SPLIT_FILE = re.compile(
    r"(?:biencoder-)?(?P<dataset>.+?)-(?P<split>train|dev|test)\.(?P<kind>json|qa\.csv|csv)(?:\.gz)?"
)
_RELEASED = re.compile(r"(?P<split>train)_ce_(?P<round>\d+)\.(?P<kind>json)(?:\.gz)?")
_RECORD = 'write {"question": "...", "answers": ["..."], "positive_ctxs": [{"passage_id": "..."}]}'
_QUESTION = "write a question and a list of answers such as ['a', 'b'], with a tab between"


class _Asked(NamedTuple):
    """A question with its answers and the ids of its positive passages."""

    where: str
    id: str
    text: str
    answers: tuple[str, ...]
    positives: tuple[str, ...]


class DprLayout:
    """DPR's files of one dataset, such as nq.

    Args:
        files: of the folder or archive.
        dataset: which one; may be left out where there is one.
        positives: which positive passages of a question are labels; all are known to be relevant.
        released: whether the training questions are those of SimANS' ``train_ce_N.json`` of lowest N.

    Raises:
        UserError: a file is missing, or several datasets are there and none is named.
    """

    def __init__(
        self, files: Files, dataset: str | None = None, positives: Positives = "first", released: bool = False
    ) -> None:
        self._files, self.layout, self.name, self._positives = files, LAYOUT, files.name, positives
        self.dropped: Counter[str] = Counter()
        names = files.names()
        passages = [name for name in names if PurePosixPath(name).name.removesuffix(".gz") == PASSAGES]
        if not passages:
            raise UserError("file is missing", where=files.where(PASSAGES), fix=LAYOUT)
        self._passages = passages[0]
        self.documents_at = files.where(self._passages)
        self._of_split = _chosen(files, names, dataset, released=released)
        chosen = [name for of in self._of_split.values() for name in of.values()]
        self.queries_at = files.where(chosen[0])
        self.splits = {split: files.where(next(iter(of.values()))) for split, of in self._of_split.items()}
        self.unjudged = frozenset(split for split, of in self._of_split.items() if "json" not in of)

    def documents(self, *, titles: bool) -> Iterator[Document]:
        """Yield the passages in the order of the file."""
        rows = quoted_rows(self._files, self._passages, ("id", "text", "title"))
        for number, (where, (name, text, title)) in enumerate(rows):
            if number == 0:
                if name != "id":
                    fix = "write id, text and title above it, with tabs between"
                    raise UserError("a passage instead of a header", where=where, fix=fix)
                continue
            yield Document(where, name, title if titles else "", text)

    def queries(self) -> Iterator[Query]:
        """Yield the questions, split by split; their ids are dataset, split and number."""
        for asked in self._asked.values():
            yield from (Query(one.where, one.id, one.text, one.answers) for one in asked)

    def judgements(self, split: str) -> Iterator[Judgement]:
        """Yield the positives of a split, and its questions that have answers in their place."""
        for one in self._asked[split]:
            if not one.positives:
                yield Judgement(one.where, one.id, None, 0)
            for place, passage in enumerate(one.positives):
                yield Judgement(one.where, one.id, passage, 1, self._positives == "all" or place == 0)

    def content(self) -> str:
        """Return a hash of its files."""
        used = [name for of in self._of_split.values() for name in of.values()]
        return self._files.hash([self._passages, *used])

    @cached_property
    def _asked(self) -> dict[str, list[_Asked]]:
        return {split: list(self._of(split, files)) for split, files in self._of_split.items()}

    def _of(self, split: str, named: dict[str, str]) -> Iterator[_Asked]:
        """Yield the questions of a split.

        Papers train on the questions of the JSON file, which have positives, and measure on those of the CSV
        file; where both are there, the JSON file adds positives to the questions that it has, too.
        """
        records = list(self._records(split, named["json"])) if "json" in named else []
        if "csv" not in named:
            for one in records:
                if one.positives:
                    yield one
                else:
                    self.dropped["questions without a positive passage, which no file judges"] += 1
            return
        positives = {one.text: one.positives for one in records}
        rows = quoted_rows(self._files, named["csv"], ("question", "answers"))
        for number, (where, (text, answers)) in enumerate(rows):
            given = _answer_list(answers, where)
            name = f"{self._stem(named['csv'])}-{number}"
            yield _Asked(where, name, text, given, positives.pop(text.strip(), ()))
        missing = "questions of a JSON file that the CSV file of the split does not have"
        self.dropped[missing] += sum(map(bool, positives.values()))

    def _records(self, split: str, name: str) -> Iterator[_Asked]:
        for number, (where, record) in enumerate(json_records(self._files, name)):
            text = text_of(record.get("question"), "question", where, _RECORD)
            answers = record.get("answers", [])
            if not isinstance(answers, list):
                raise UserError("'answers' is no list", where=where, fix=_RECORD)
            given = tuple(text_of(answer, "answers", where, _RECORD) for answer in answers)
            positives = tuple(dict.fromkeys(_passages_of(record, where)))
            own = record.get("q_id")
            known = f"{split}-{own}" if isinstance(own, str | int) else f"{self._stem(name)}-{number}"
            yield _Asked(where, known, text.strip(), tuple(filter(str.strip, given)), positives)

    @staticmethod
    def _stem(name: str) -> str:
        return PurePosixPath(name).name.partition(".")[0].removeprefix("biencoder-")


def _chosen(
    files: Files, names: list[str], dataset: str | None, *, released: bool
) -> dict[str, dict[str, str]]:
    """Return split -> ``json`` and ``csv`` -> file, of one dataset; of train the JSON file if there."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for name in names:
        matched = _SPLIT_FILE.fullmatch(PurePosixPath(name).name)
        if matched is not None and not _RELEASED.fullmatch(PurePosixPath(name).name):
            of = found.setdefault(matched["dataset"], {}).setdefault(matched["split"], {})
            kind = matched["kind"].rpartition(".")[2]
            if kind in of:
                raise UserError(f"{of[kind]} is there, too", where=files.where(name), fix="keep one of them")
            of[kind] = name
    if dataset is None and len(found) > 1:
        what = f"files of several datasets: {', '.join(sorted(found))}"
        fix = "name one of them by `dataset` in a spec, or keep those of one in the folder"
        raise UserError(what, where=str(files.path), fix=fix)
    if dataset is not None and dataset not in found:
        raise UserError(f"no files of '{dataset}'", where=str(files.path), fix=nearest(dataset, found))
    splits = next(iter(found.values()), {}) if dataset is None else found[dataset]
    rounds = [
        (int(m["round"]), name) for name in names if (m := _RELEASED.fullmatch(PurePosixPath(name).name))
    ]
    if released and rounds:
        splits["train"] = {"json": min(rounds)[1]}
    if "json" in splits.get("train", {}):
        splits["train"] = {"json": splits["train"]["json"]}
    if not splits:
        raise UserError("no questions", where=str(files.path), fix=LAYOUT)
    return {split: splits[split] for split in SPLITS if split in splits}


def _answer_list(text: str, where: str) -> tuple[str, ...]:
    """Return the answers of a line; only a list of texts is read, and nothing is run."""
    try:
        answers = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise UserError("no list of answers", where=where, fix=_QUESTION) from error
    if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
        raise UserError("no list of answers", where=where, fix=_QUESTION)
    return tuple(answer for answer in answers if answer.strip())


def _passages_of(record: dict[str, Any], where: str) -> Iterator[str]:
    """Yield the ids of the positive passages of a question."""
    positives = record.get("positive_ctxs", [])
    if not isinstance(positives, list):
        raise UserError("'positive_ctxs' is no list", where=where, fix=_RECORD)
    for passage in positives:
        held = passage if isinstance(passage, dict) else {}
        name = held.get("passage_id", held.get("psg_id"))
        if not isinstance(name, str | int) or name == "":
            raise UserError("a positive passage without 'passage_id'", where=where, fix=_RECORD)
        yield str(name)
