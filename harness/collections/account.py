"""What a reader of a table must know of the collection under it, counted when the collection is read."""

from __future__ import annotations

import re
from itertools import combinations

from harness.collections.answers import compiled
from harness.collections.collection import RELEVANT, Collection, Queries

WORD = re.compile(r"\w+")


def account(collection: Collection, *, dropped: int = 0) -> list[str]:
    """Return what may decide the worth of a table, a sentence each; nothing of an ordinary collection.

    Args:
        collection: as it was read.
        dropped: judgements of absent queries or documents that were left out.
    """
    said = [*_own(collection), *_copies(collection), *_repeated(collection), *_empty(collection)]
    said += [*_unanswered(collection), *_no_patterns(collection)]
    if dropped:
        said.append(f"Judgements of queries or documents that are not there, left out: {dropped:,}.")
    return said


def _own(collection: Collection) -> list[str]:
    known = collection.number
    asked = {query for queries in collection.queries.values() for query in queries.ids if query in known}
    if not asked:
        return []
    done = (
        "taken out of their own rankings and candidates"
        if collection.own_documents == "out"
        else "kept in their own rankings and candidates"
    )
    return [f"Queries with the id of a document, {done}: {len(asked):,}."]


def _copies(collection: Collection) -> list[str]:
    if not collection.copies:
        return []
    number, copied = collection.number, 0
    for queries in collection.queries.values():
        for judged in queries.qrels.values():
            relevant = (number[document] for document, grade in judged.items() if grade >= RELEVANT)
            copied += sum(document in collection.copies for document in relevant)
    return [
        f"Documents with the text of another: {len(collection.copies):,}. A copy of a positive is known "
        f"to be relevant, and is no negative; positives that have one: {copied:,}."
    ]


def _repeated(collection: Collection) -> list[str]:
    """Return how many queries of one split have the text of a query of another."""
    said = []
    for (one, first), (other, second) in combinations(collection.queries.items(), 2):
        both = len(set(first.texts) & set(second.texts))
        if both:
            said.append(f"Texts that are queries of both {one} and {other}: {both:,}.")
    return said


def _empty(collection: Collection) -> list[str]:
    asked = {text for queries in collection.queries.values() for text in queries.texts}
    unread = {word for text in asked for word in WORD.findall(text.casefold())}
    words = set[str]()
    for document in collection.documents:
        if not unread:
            break
        words |= unread.intersection(WORD.findall(document.casefold()))
        unread -= words
    said = []
    for split, queries in collection.queries.items():
        none = sum(not _has_positive(queries, query) for query in queries.ids)
        if none == len(queries) and queries.answers:
            said.append(f"Queries of {split} have answers and no judgements; AnswerHit is their measure.")
        elif none:
            said.append(f"Queries of {split} without a relevant document, each counted as 0: {none:,}.")
        unknown = sum(words.isdisjoint(WORD.findall(text.casefold())) for text in queries.texts)
        if unknown:
            share = 100 * unknown / len(queries)
            said.append(
                f"Queries of {split} that share no word with any document: {unknown:,} ({share:.1f} %)."
            )
    return said


def _unanswered(collection: Collection) -> list[str]:
    """Return how many queries have no answer, of each split in which others have one."""
    counts = {split: len(queries) - len(queries.answers) for split, queries in collection.queries.items()}
    return [
        f"Queries of {split} without an answer string, each counted as 0 by AnswerHit: {count:,}."
        for split, count in counts.items()
        if count and collection.queries[split].answers
    ]


def _no_patterns(collection: Collection) -> list[str]:
    """Return how many answers are no patterns, where they are read as such."""
    if collection.answers_are != "patterns":
        return []
    given = (answers for queries in collection.queries.values() for answers in queries.answers.values())
    broken = sum(compiled(answer) is None for answers in given for answer in answers)
    what = "Answers that are no regular expressions, and in no passage, as in the code of DPR"
    return [f"{what}: {broken:,}."] if broken else []


def _has_positive(queries: Queries, query: str) -> bool:
    return any(grade >= RELEVANT for grade in queries.qrels.get(query, {}).values())
