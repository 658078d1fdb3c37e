"""What a rule makes of a source file: pages, and the questions that they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.collections.pydocs.packages import SourceFile


@dataclass(frozen=True)
class Question:
    """A question that a page answers.

    Attributes:
        text: the question.
        answers: strings that answer it; empty where a rule makes none.
    """

    text: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A document, and what it answers.

    Attributes:
        id: ``package:qualified.name``.
        text: the document, which holds none of its questions.
        questions: what it answers; a page without any is a candidate alone.
    """

    id: str
    text: str
    questions: tuple[Question, ...]


Rule = Callable[[SourceFile], Iterator[Page]]
"""Reads the pages of a source file."""


def bare_name(qualified: str) -> str:
    """Return the last part of a qualified name."""
    return qualified.rpartition(".")[2]
