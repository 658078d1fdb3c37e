"""Building a harvested collection: pages without copies, questions that mean one page, splits, judgements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from harness.collections.answers import documents_holding, tokens_in
from harness.collections.collection import RELEVANT, Collection, Queries
from harness.collections.harvested.names import ANSWERED, HarvestName
from harness.collections.harvested.page import Page, Question
from harness.collections.harvested.registry import HARVESTS
from harness.collections.pydocs.build import CONSTRAINTS
from harness.collections.pydocs.clusters import COMPARED_WORDS, SAME_QUERY, SAME_WORDING, join, similar
from harness.collections.pydocs.markup import words
from harness.collections.pydocs.packages import canonical, pinned_version, read_pins, source_files
from harness.collections.pydocs.splits import NEAR, split_of

COMMON = 0.01
"""Share of the documents from which on a string is no answer: nothing is told by it."""

FEWEST_COMMON = 2
"""Documents that may hold an answer in any case, however few there are."""

SPLITS = ("train", "dev", "test")


def build_harvested(
    name: HarvestName, constraints: Path | None = None, packages: Sequence[str] | None = None
) -> Collection:
    """Build a harvested collection from the installed, pinned packages.

    Equal pins yield the same collection on all platforms and Python versions.

    Args:
        name: of `HARVESTS`.
        constraints: file of ``==`` pins; by default that of the project.
        packages: distributions to harvest; by default all of the collection.

    Raises:
        UserError: a package is not pinned or not installed in the pinned version, or a file does not parse.
    """
    pins = read_pins(constraints or CONSTRAINTS)
    chosen = HARVESTS[name].packages if packages is None else packages
    versions = {canonical(package): pinned_version(package, pins) for package in chosen}
    read: dict[str, Page] = {}
    for package in chosen:
        for file in source_files(package):
            for page in HARVESTS[name].rule(file):
                read.setdefault(page.id, page)
    pages = _one_page_each(_distinct(read.values()))
    pages = _answerable(pages) if name in ANSWERED else pages
    near = similar(_shingles(pages), SAME_WORDING)
    split = [split_of(pages[first].id) for first in join(len(pages), near)]
    twins: dict[int, list[int]] = defaultdict(list)
    for left, right in near:
        twins[left].append(right)
        twins[right].append(left)
    return Collection(
        name=name,
        simulation=False,
        document_ids=tuple(page.id for page in pages),
        documents=tuple(page.text for page in pages),
        queries={of: _queries(of, pages, split, twins) for of in SPLITS},
        about={"versions": versions},
    )


def _distinct(pages: Iterable[Page]) -> list[Page]:
    """Return the first page, by id, of those that share their first words."""
    first: dict[tuple[str, ...], Page] = {}
    for page in sorted(pages, key=lambda page: page.id):
        first.setdefault(tuple(words(page.text)[:COMPARED_WORDS]), page)
    return list(first.values())


def _one_page_each(pages: Sequence[Page]) -> list[Page]:
    """Return pages with the questions that no other question nearly repeats."""
    asked = [(number, question) for number, page in enumerate(pages) for question in page.questions]
    repeated: set[int] = set()
    for left, right in similar([set(words(question.text)) for _, question in asked], SAME_QUERY):
        repeated |= {right} if asked[left][0] == asked[right][0] else {left, right}
    kept: dict[int, list[Question]] = defaultdict(list)
    for place, (number, question) in enumerate(asked):
        if place not in repeated:
            kept[number].append(question)
    return [replace(page, questions=tuple(kept[number])) for number, page in enumerate(pages)]


def _answerable(pages: Sequence[Page]) -> list[Page]:
    """Return pages with the questions that have answers: rare ones that do not stand in the question."""
    most = max(FEWEST_COMMON, COMMON * len(pages))
    given = {answer for page in pages for question in page.questions for answer in question.answers}
    holding = documents_holding([page.text for page in pages], given)
    return [
        replace(page, questions=tuple(question for question in told if question.answers))
        for page in pages
        for told in [[_rare(question, holding, most) for question in page.questions]]
    ]


def _rare(question: Question, holding: dict[str, int], most: float) -> Question:
    """Return a question with the answers that at most some documents hold, and that it does not give away."""
    text = tokens_in(question.text)
    answers = (a for a in question.answers if holding[a] <= most and tokens_in(a) not in text)
    return replace(question, answers=tuple(answers))


def _shingles(pages: Sequence[Page]) -> list[set[tuple[str, ...]]]:
    texts = (words(page.text)[:COMPARED_WORDS] for page in pages)
    return [set(zip(text, text[1:], text[2:], strict=False)) for text in texts]


def _queries(of: str, pages: Sequence[Page], split: Sequence[str], twins: dict[int, list[int]]) -> Queries:
    """Return the questions of the pages of a split; near-same pages have grade 1 where it is evaluated."""
    ids, texts = [], []
    qrels: dict[str, dict[str, int]] = {}
    known: dict[str, tuple[str, ...]] = {}
    answers: dict[str, tuple[str, ...]] = {}
    for number, page in enumerate(pages):
        for place, question in enumerate(page.questions if split[number] == of else ()):
            query = f"q:{page.id}" + (f"#{place + 1}" if place else "")
            ids.append(query)
            texts.append(question.text)
            known[query] = (page.id,)
            near = {} if of == "train" else {pages[twin].id: NEAR for twin in sorted(twins.get(number, ()))}
            qrels[query] = {page.id: RELEVANT, **near}
            answers |= {query: question.answers} if question.answers else {}
    return Queries(tuple(ids), tuple(texts), qrels, known, answers)
