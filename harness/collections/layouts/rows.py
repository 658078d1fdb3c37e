"""What the reader of a layout yields: documents, queries and judgements, each with its place for errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from harness.errors import UserError

SPLITS = ("train", "dev", "test")


class Document(NamedTuple):
    """A document.

    Attributes:
        where: file and line.
        id: not empty.
        title: empty where there is none.
        text: without its title.
    """

    where: str
    id: str
    title: str
    text: str


class Query(NamedTuple):
    """A query.

    Attributes:
        where: file and line.
        id: not empty.
        text: as it is asked.
        answers: texts or patterns that answer it.
    """

    where: str
    id: str
    text: str
    answers: tuple[str, ...] = ()


class Judgement(NamedTuple):
    """A judgement of a document for a query.

    Attributes:
        where: file and line.
        query: id of the query.
        document: id of the document; none where the query is asked and has answers in place of judgements.
        grade: as it is published; relevant from 1 on.
        label: whether it is a label; else the document is known to be relevant, and is no negative.
    """

    where: str
    query: str
    document: str | None
    grade: int
    label: bool = True


class Layout(Protocol):
    """A published collection as its reader sees it; each iterator begins anew."""

    @property
    def name(self) -> str:
        """Name of the collection, without its kind."""

    @property
    def documents_at(self) -> str:
        """Where its documents are, for errors."""

    @property
    def queries_at(self) -> str:
        """Where its queries are, for errors."""

    @property
    def splits(self) -> Mapping[str, str]:
        """Split -> where its judgements are."""

    @property
    def unjudged(self) -> frozenset[str]:
        """Splits whose queries have answers in the place of judgements."""

    @property
    def layout(self) -> str:
        """What it should hold, in words, for errors."""

    @property
    def dropped(self) -> Counter[str]:
        """What the reader left out, in words -> how many; complete when all was read."""

    def documents(self, *, titles: bool) -> Iterator[Document]:
        """Yield the documents, with titles where they are read."""

    def queries(self) -> Iterator[Query]:
        """Yield the queries of all splits, and perhaps others."""

    def judgements(self, split: str) -> Iterator[Judgement]:
        """Yield the judgements of a split."""

    def content(self) -> str:
        """Return a hash of its files."""


def whole(text: str, key: str, where: str) -> str:
    """Return a text, unless it has half of a surrogate pair.

    Raises:
        UserError: it has.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        what = f"'{key}' has half of a surrogate pair at letter {error.start + 1}, which no file can hold"
        raise UserError(what, where=where, fix="write the whole character, or leave it out") from error
    return text


def decoded(line: bytes, where: str) -> str:
    """Return a line as text, without its end.

    Raises:
        UserError: it is not UTF-8.
    """
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 at byte {error.start + 1}"
        raise UserError(what, where=where, fix="write it in UTF-8, or copy it again") from error


def text_of(value: Any, key: str, where: str, fix: str) -> str:
    """Return a value that must be a text.

    Raises:
        UserError: it is something else, an empty id, or has half of a surrogate pair.
    """
    if not isinstance(value, str) or (key == "_id" and not value):
        what = f"'{key}' is {'missing' if value is None else 'not a text'}"
        raise UserError(what, where=where, fix=fix)
    return whole(value, key, where)
