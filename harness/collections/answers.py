"""Answer strings in passages, matched as DPR does (Karpukhin et al. 2020, its `has_answer` of strings)."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import regex

_TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]")
"""DPR's SimpleTokenizer: a run of letters, digits and marks, or one other visible character."""

_EDGE = "\x1f"
"""Stands around each token; no token holds it, since it is a control character."""


def tokens_in(text: str) -> str:
    """Return the lower-case tokens of a text after NFD, each between edges; empty if there are none."""
    tokens = _TOKEN.findall(unicodedata.normalize("NFD", text))
    return _EDGE.join(["", *tokens, ""]).lower() if tokens else ""


class AnswerTexts:
    """Passages in which answers are looked for; each is cut into tokens once, when it is first asked for.

    Args:
        documents: one text for each document.
        starts: where a document's text starts, after its title; empty where none has a title.
    """

    def __init__(self, documents: Sequence[str], starts: Sequence[int]) -> None:
        self._documents, self._starts = documents, starts
        self._tokens: dict[int, str] = {}

    def hold(self, document: int, answers: Sequence[str]) -> bool:
        """Whether the text of a document, without its title, holds one of some answers.

        Args:
            document: its number.
            answers: as `tokens_in` returns them; their tokens must stand in the text one after the other.
        """
        tokens = self._tokens.get(document)
        if tokens is None:
            start = self._starts[document] if self._starts else 0
            tokens = self._tokens[document] = tokens_in(self._documents[document][start:])
        return any(answer in tokens for answer in answers)


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
