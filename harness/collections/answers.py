"""Answer strings in passages, matched as DPR does (Karpukhin et al. 2020, its `has_answer` of strings)."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal

import regex

from harness.errors import UserError

AnswersAre = Literal["texts", "patterns"]
"""How answers are matched: as texts, or as regular expressions (CuratedTREC)."""

LONGEST_S = 10.0
"""Seconds that a pattern may look for itself in one passage."""

_TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]")
"""DPR's SimpleTokenizer: a run of letters, digits and marks, or one other visible character."""

_EDGE = "\x1f"
"""Stands around each token; no token holds it, since it is a control character."""


def tokens_in(text: str) -> str:
    """Return the lower-case tokens of a text after NFD, each between edges; empty if there are none."""
    tokens = _TOKEN.findall(unicodedata.normalize("NFD", text))
    return _EDGE.join(["", *tokens, ""]).lower() if tokens else ""


def checked_answer(answer: str, answers_are: AnswersAre, where: str) -> str:
    """Return an answer that can be looked for.

    Args:
        answer: as it is published.
        answers_are: how it is matched.
        where: file and line, for errors.

    Raises:
        UserError: it is a text without a letter, digit or sign, or a pattern that matches every passage.
    """
    if answers_are == "texts":
        if not tokens_in(answer):
            what = "an answer without a letter, digit or sign, which every passage would hold"
            raise UserError(what, where=where, fix="leave it out")
        return answer
    pattern = compiled(answer)
    if pattern is not None and pattern.search("") is not None:
        what = f"the pattern '{answer[:60]}' matches every passage"
        raise UserError(what, where=where, fix="leave it out")
    return answer


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """Return a pattern as DPR compiles it (`regex_match` of `qa_validation.py`); none if it is no pattern.

    There, too, such an answer is in no passage; three of the 694 of CuratedTREC are.
    """
    flags = regex.IGNORECASE | regex.UNICODE | regex.MULTILINE | regex.VERSION0
    try:
        return regex.compile(unicodedata.normalize("NFD", pattern), flags=flags)
    except regex.error:
        return None


class AnswerTexts:
    """Passages in which answers are looked for; each is cut into tokens once, when it is first asked for.

    Args:
        documents: one text for each document.
        starts: where a document's text starts, after its title; empty where none has a title.
        answers_are: how answers are matched.
    """

    def __init__(
        self, documents: Sequence[str], starts: Sequence[int], answers_are: AnswersAre = "texts"
    ) -> None:
        self._documents, self._starts, self._answers_are = documents, starts, answers_are
        self._read: dict[int, str] = {}

    def prepared(self, answers: Iterable[str]) -> list[str]:
        """Return answers as `hold` looks for them."""
        return [tokens_in(answer) for answer in answers] if self._answers_are == "texts" else list(answers)

    def hold(self, document: int, answers: Sequence[str]) -> bool:
        """Whether the text of a document, without its title, holds one of some answers.

        Args:
            document: its number.
            answers: as `prepared` returns them. Tokens of a text must stand in the passage one after the
                other; a pattern is searched for in it, after NFD, as DPR does.

        Raises:
            UserError: a pattern is looked for too long.
        """
        text = self._read.get(document)
        if text is None:
            start = self._starts[document] if self._starts else 0
            text = self._documents[document][start:]
            by_tokens = self._answers_are == "texts"
            text = self._read[document] = tokens_in(text) if by_tokens else unicodedata.normalize("NFD", text)
        if self._answers_are == "texts":
            return any(answer in text for answer in answers)
        return any(_matches(pattern, text) for pattern in answers)


def _matches(pattern: str, text: str) -> bool:
    found = compiled(pattern)
    try:
        return found is not None and found.search(text, timeout=LONGEST_S) is not None
    except TimeoutError as error:
        what = f"the pattern '{pattern[:60]}' is looked for longer than {LONGEST_S:g} s in one passage"
        raise UserError(what, where="answers", fix="write it without repeated repetitions") from error


def documents_holding(documents: Iterable[str], answers: Iterable[str]) -> dict[str, int]:
    """Return answer -> number of texts that hold it; each text is read once, whatever the number of answers.

    Args:
        documents: texts without titles.
        answers: each with a letter, digit or sign.
    """
    named = {answer: tuple(tokens_in(answer).split(_EDGE)[1:-1]) for answer in answers}
    lengths: dict[str, set[int]] = defaultdict(set)
    for tokens in named.values():
        lengths[tokens[0]].add(len(tokens))
    looked_for, counts = set(named.values()), Counter[tuple[str, ...]]()
    for text in documents:
        tokens = tuple(tokens_in(text).split(_EDGE)[1:-1])
        held = {
            run
            for place, token in enumerate(tokens)
            for length in lengths.get(token, ())
            if (run := tokens[place : place + length]) in looked_for
        }
        counts.update(held)
    return {answer: counts[tokens] for answer, tokens in named.items()}
