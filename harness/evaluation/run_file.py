"""Run files of other systems, in the format of TREC: checked line by line where they enter, ranked by score.

A line has six columns with blanks between: query, Q0, document, rank, score and tag. As in trec_eval, scores
decide as 32-bit numbers, of tied documents the one whose id comes later in the alphabet comes first, and the
ranks of the file are not read. What is left out or counts as 0 is told in a sentence.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import unquote

import numpy as np

from harness.collections.collection import Collection
from harness.errors import UserError, printable
from harness.evaluation.measures import cutoff_of
from harness.evaluation.rankings import Ranking, strictly_decreasing

COLUMNS = ("query", "Q0", "document", "rank", "score", "tag")
LARGEST = float(np.finfo(np.float32).max)
"""Largest score that trec_eval can hold."""

_MAGIC = b"\x1f\x8b"
_FORMAT = "a line of a run file has six columns: query, Q0, document, rank, score and tag"


class Entry(NamedTuple):
    """A document of a ranking, as its line has it."""

    line: int
    document: str
    rank: int
    score: float


@dataclass(frozen=True)
class RunFile:
    """The rankings of another system, for the queries of a split.

    Attributes:
        path: of the file.
        tag: what its first line calls the system.
        ranking: documents of the queries that have any, best first, with strictly decreasing scores.
        deepest: most documents of a query in the file.
        remarks: what is left out of the file, or counts as 0, a sentence each.
    """

    path: Path
    tag: str
    ranking: Ranking
    deepest: int
    remarks: tuple[str, ...]


def read_run_file(path: Path, collection: Collection, split: str) -> RunFile:
    """Read the run file of another system for the queries of a split.

    Args:
        path: plain or gzipped.
        collection: on which it was made.
        split: whose queries are measured.

    Raises:
        UserError: it cannot be read, a line is no line of a run file, a document is not in the collection or
            ranked twice for a query, or no query of the split is in it.
    """
    reader = _Reader(path, collection, split)
    for number, line in _lines(path):
        reader.read(number, line)
    return reader.finish()


def shallow(file: RunFile, measures: Iterable[str], most: int) -> list[str]:
    """Return a sentence if measures read more documents than a file ranks.

    Args:
        file: that was read.
        measures: as ir-measures names them.
        most: documents that a ranking can have.
    """
    deeper = {name: cutoff for name in measures if (cutoff := cutoff_of(name) or 0) > file.deepest}
    if not deeper or file.deepest >= most:
        return []
    names = ", ".join(deeper)
    return [f"It ranks at most {file.deepest:,} documents a query, fewer than these read: {names}."]


@dataclass
class _Reader:
    """What was read of a file, line by line.

    Attributes:
        path: of the file.
        collection: on which it was made.
        split: whose queries are measured.
        entries: query -> its lines, as far as it is one of the split.
        ranked: query -> the documents of those lines.
        strangers: other queries -> their first line.
        unknown: documents that are not in the collection -> their first line.
        passed: lines of other queries.
        own: lines of documents that are the query itself, where the collection takes these out.
        tag: of the first line.
    """

    path: Path
    collection: Collection
    split: str
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    ranked: dict[str, set[str]] = field(default_factory=dict)
    strangers: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    passed: int = 0
    own: int = 0
    tag: str = ""

    def __post_init__(self) -> None:
        self.queries = {query: query for query in self.collection.queries[self.split].ids}
        self.documents = self.collection.number
        ids = self.collection.document_ids
        own = self.collection.own(self.split).items()
        self.left_out = {self.collection.queries[self.split].ids[query]: ids[number] for query, number in own}

    def read(self, number: int, line: str) -> None:
        """Take up a line.

        Raises:
            UserError: it is no line of a run file, or ranks a document a second time.
        """
        columns = line.split()
        if len(columns) != len(COLUMNS):
            was = f"{len(columns)} column{'s' if len(columns) > 1 else ''}"
            as_judged = ", as judgements have" if len(columns) == 4 else ""
            raise UserError(f"{was}{as_judged}", where=f"{self.path}:{number}", fix=_FORMAT)
        query, _, document, rank, score, tag = columns
        self.tag = self.tag or tag
        entry = Entry(number, document, self._rank(rank, number), self._score(score, number))
        known = self._known(query, self.queries)
        if known is None:
            self.strangers.setdefault(query, number)
            self.passed += 1
            return
        self._rank_document(known, entry)

    def _rank_document(self, query: str, entry: Entry) -> None:
        document = self._known(entry.document, self.documents)
        if document is None:
            self.unknown.setdefault(entry.document, entry.line)
            return
        ranked = self.ranked.setdefault(query, set())
        if document in ranked:
            what = f"document '{document}' is ranked a second time for query '{query}'"
            raise UserError(what, where=f"{self.path}:{entry.line}", fix="keep one of the two lines")
        ranked.add(document)
        self.entries.setdefault(query, [])
        if self.left_out.get(query) == document:
            self.own += 1
        else:
            self.entries[query].append(entry._replace(document=document))

    @staticmethod
    def _known(name: str, names: Mapping[str, str] | Mapping[str, int]) -> str | None:
        """Return an id as the collection has it; our own files write blanks in it as addresses do."""
        if name in names:
            return name
        return plain if "%" in name and (plain := unquote(name)) in names else None

    def _rank(self, text: str, number: int) -> int:
        try:
            return int(text)
        except ValueError as error:
            what = f"rank '{text}' is no whole number"
            raise UserError(what, where=f"{self.path}:{number}", fix=_FORMAT) from error

    def _score(self, text: str, number: int) -> float:
        try:
            score = float(text)
        except ValueError as error:
            what = f"score '{text}' is no number"
            raise UserError(what, where=f"{self.path}:{number}", fix=_FORMAT) from error
        if not abs(score) <= LARGEST:  # nor NaN
            what = f"score '{text}' is no finite number of 32 bits, as trec_eval reads scores"
            raise UserError(what, where=f"{self.path}:{number}", fix="leave the line out, or write a score")
        return score

    def finish(self) -> RunFile:
        """Return what was read.

        Raises:
            UserError: documents are not in the collection, or no query of the split is in the file.
        """
        name, ids = self.collection.name, self.collection.queries[self.split].ids
        if self.unknown:
            first, line = next(iter(self.unknown.items()))
            what = f"{_count(len(self.unknown), 'document')} not in {name}, the first '{first}'"
            fix = "rank the documents of this collection, under the ids that it has"
            raise UserError(what, where=f"{self.path}:{line}", fix=fix)
        if not self.entries:
            what = f"none of the {len(ids):,} {self.split} queries of {name}, such as '{ids[0]}', has a line"
            fix = "rank these queries, or name another split by --split"
            raise UserError(what, where=str(self.path), fix=fix)
        ordered = {query: _in_order(self.entries[query]) for query in ids if query in self.entries}
        ranking = {query: _ranking(entries) for query, entries in ordered.items()}
        deepest = max(map(len, ranking.values()))
        return RunFile(self.path, self.tag, ranking, deepest, tuple(self._remarks(ordered)))

    def _remarks(self, ordered: dict[str, list[Entry]]) -> Iterator[str]:
        name, ids = self.collection.name, self.collection.queries[self.split].ids
        if self.strangers:
            first, line = next(iter(self.strangers.items()))
            what = f"{_count(len(self.strangers), f'query of {self.path}', f'queries of {self.path}')}"
            where = f"not among the {len(ids):,} {self.split} queries of {name}"
            yield f"{what} {where} (the first: '{first}', line {line}); left out, {self.passed:,} lines."
        missing = [query for query in ids if query not in self.entries]
        if missing:
            what = f"{len(missing):,} of {len(ids):,} {self.split} queries have no line in {self.path}"
            yield f"{what} (the first: '{missing[0]}'); each counts as 0."
        if self.own:
            what = f"{_count(self.own, 'document')} the query itself"
            yield f"{what}; left out, as of all rankings on {name}."
        wrong = {query: line for query, entries in ordered.items() if (line := _out_of_order(entries))}
        if wrong:
            first, line = next(iter(wrong.items()))
            what = f"Ranks in {self.path} disagree with scores for {_plain(len(wrong), 'query', 'queries')}"
            yield f"{what} (the first: '{first}', line {line}); scores decide, as in trec_eval."
        tied = sum(map(_has_ties, ordered.values()))
        if tied:
            rule = "of tied documents the one whose id comes later in the alphabet is first, as in trec_eval"
            yield f"Scores are tied for {_plain(tied, 'query', 'queries')}: {rule}."


def _in_order(entries: Sequence[Entry]) -> list[Entry]:
    """Return the lines of a query as trec_eval ranks them, with scores as 32-bit numbers."""
    scores = np.asarray([entry.score for entry in entries], dtype=np.float64).astype(np.float32).tolist()
    rounded = [entry._replace(score=score) for entry, score in zip(entries, scores, strict=True)]
    return sorted(rounded, key=lambda entry: (entry.score, entry.document), reverse=True)


def _ranking(entries: Sequence[Entry]) -> dict[str, float]:
    scores = strictly_decreasing(np.asarray([entry.score for entry in entries], dtype=np.float32)).tolist()
    return dict(zip((entry.document for entry in entries), scores, strict=True))


def _out_of_order(entries: Sequence[Entry]) -> int:
    """Return the first line whose rank is not below that of a document with a higher score; 0 if none is."""
    above = -math.inf
    for _, tied in groupby(entries, key=attrgetter("score")):
        ranked = list(tied)
        line = next((entry.line for entry in ranked if entry.rank <= above), 0)
        if line:
            return line
        above = max(above, *(entry.rank for entry in ranked))
    return 0


def _has_ties(entries: Sequence[Entry]) -> bool:
    return any(one.score == other.score for one, other in pairwise(entries))


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{_plain(number, one, many or f'{one}s')} {'is' if number == 1 else 'are'}"


def _plain(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that hold something, without the remarks that a file begins with."""
    begun, number = False, 0
    fix = "name a run file of TREC, plain or gzipped"
    try:
        with closing(_opened(path)) as stream:
            for number, line in enumerate(stream, start=1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if "\0" in text:
                    raise UserError("not a text", where=f"{path}:{number}", fix=fix)
                if not text.strip() or (not begun and text.split()[0].startswith("#") and _remark(text)):
                    continue
                begun = True
                yield number, text
    except UnicodeDecodeError as error:
        raise UserError("not a text in UTF-8", where=f"{path}:{number}", fix=fix) from error
    except (OSError, EOFError, zlib.error) as error:
        what = f"cannot be read ({printable(str(error))})"
        raise UserError(what, where=str(path), fix=fix) from error
    if not begun:
        raise UserError("holds no line", where=str(path), fix=fix)


def _remark(text: str) -> bool:
    """Return whether a line at the beginning is a remark, as ir_metadata writes them, and ranks nothing."""
    return text.split(maxsplit=1)[0] == "#" or len(text.split()) != len(COLUMNS)


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        packed = stream.read(len(_MAGIC)) == _MAGIC
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]
