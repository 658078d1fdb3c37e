"""Lines of tables with tabs between, and lists of JSON that are too large to be read at once."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator
from typing import IO, Any

from harness.collections.layouts.files import AGAIN, Files
from harness.collections.layouts.rows import Judgement, decoded
from harness.errors import UserError, first_line

LONGEST_RECORD = 64 << 20
"""Letters of a record of a JSON list; one of DPR has a hundred passages."""

LONGEST_FIELD = 16 << 20
"""Letters of a field of a table."""

_CHUNK = 1 << 20
_BETWEEN = " \t\r\n,"


def tab_rows(files: Files, name: str, columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Yield the rows of a file with tabs between fields, and no quotes, each with its place.

    Raises:
        UserError: a line is not UTF-8, or has more or fewer fields.
    """
    for where, line in files.lines(name):
        fields = decoded(line, where).split("\t")
        if len(fields) != len(columns):
            what = f"{len(fields)} fields, not {len(columns)}"
            raise UserError(what, where=where, fix=f"write {', '.join(columns)}, with tabs between")
        yield where, fields


def quoted_rows(files: Files, name: str, columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Yield the rows of a file with tabs between fields that may be quoted, as DPR writes and reads them.

    Raises:
        UserError: a line is not UTF-8, or has more or fewer fields, or a quote is not closed.
    """
    place, before = files.where(name), csv.field_size_limit(LONGEST_FIELD)

    def texts() -> Iterator[str]:
        for where, line in files.lines(name):
            yield decoded(line, where) + "\n"

    rows = csv.reader(texts(), delimiter="\t", strict=True)
    try:
        while True:
            try:
                fields = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                what = f"broken quotes ({error})"
                fix = 'double a quote inside of quotes ("")'
                raise UserError(what, where=f"{place}:{rows.line_num}", fix=fix) from error
            where = f"{place}:{rows.line_num}"
            if len(fields) != len(columns):
                what = f"{len(fields)} fields, not {len(columns)}"
                raise UserError(what, where=where, fix=f"write {', '.join(columns)}, with tabs between")
            yield where, fields
    finally:
        csv.field_size_limit(before)


def trec_judgements(files: Files, name: str) -> Iterator[Judgement]:
    """Yield judgements of query, iteration, document and grade, without a header, as TREC writes them.

    Raises:
        UserError: a line has other fields.
    """
    for where, line in files.lines(name):
        fields = decoded(line, where).split()
        try:
            query, _, document, grade = fields
            yield Judgement(where, query, document, int(grade))
        except ValueError as error:
            fix = "write query, 0, document and a whole number, with tabs or blanks between"
            raise UserError("not a judgement", where=where, fix=fix) from error


def json_records(files: Files, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a JSON list, each with its place; no more than a few of them are in memory.

    Raises:
        UserError: it is no list of objects, broken, or ends too early.
    """
    place = files.where(name)
    with files.open(name) as stream:
        text = _Buffer(stream, place)
        if text.next_letter() != "[":
            raise UserError("no JSON list", where=place, fix="write [{...}, {...}]")
        text.skip()
        number = 1
        while text.next_letter() != "]":
            where = f"{place}, record {number}"
            record = text.value(where)
            if not isinstance(record, dict):
                raise UserError("no JSON object", where=where, fix="write [{...}, {...}]")
            yield where, record
            number += 1


class _Buffer:
    """The part of a JSON file that is read and not yet used."""

    def __init__(self, stream: IO[bytes], place: str) -> None:
        self._text, self._place = codecs.getreader("utf-8-sig")(stream), place
        self._buffer, self._at, self._ended = "", 0, False
        self._decoder = json.JSONDecoder()

    def next_letter(self) -> str:
        """Return the next letter that is no blank or comma; it is not used up.

        Raises:
            UserError: there is none.
        """
        while True:
            while self._at < len(self._buffer):
                if self._buffer[self._at] not in _BETWEEN:
                    return self._buffer[self._at]
                self._at += 1
            if not self._read():
                raise UserError("ends too early", where=self._place, fix=AGAIN)

    def skip(self) -> None:
        """Use up a letter."""
        self._at += 1

    def value(self, where: str) -> Any:
        """Return the next value.

        Raises:
            UserError: it is broken, or ends too early.
        """
        while True:
            try:
                value, self._at = self._decoder.raw_decode(self._buffer, self._at)
                return value
            except (ValueError, RecursionError) as error:
                if len(self._buffer) - self._at > LONGEST_RECORD or not self._read():
                    what = "ends too early" if self._ended else f"broken JSON ({first_line(error)})"
                    raise UserError(what, where=where, fix=AGAIN) from error

    def _read(self) -> bool:
        """Read on, twice as much as what is not used; return whether there was more."""
        left = self._buffer[self._at :]
        try:
            more = self._text.read(max(_CHUNK, len(left)))
        except UnicodeDecodeError as error:
            raise UserError("not UTF-8", where=self._place, fix=AGAIN) from error
        self._buffer, self._at, self._ended = left + more, 0, not more
        return bool(more)
