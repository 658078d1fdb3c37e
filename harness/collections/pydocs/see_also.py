"""The second test set: queries are "See also" lines, in which one docstring describes another."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from harness.collections.collection import Queries
from harness.collections.pydocs.clean import SUMMARY_WORDS, Entry
from harness.collections.pydocs.clusters import jaccard, normalised
from harness.collections.pydocs.markup import words
from harness.collections.pydocs.splits import Clustering, judgements

SAME_WORDS = 0.75
"""Minimal Jaccard similarity of words at which a description repeats a summary."""

_RELATIVE = re.compile(
    r"\b(this|these|similar\w*|equivalent|corresponding\w*|same|related|alternative\w*|counterpart|instead)\b",
    re.I,
)
"""Pattern of descriptions that depend on the docstring around them."""


class NameIndex:
    """An index that resolves the names in docstrings.

    Args:
        ids: ids (``package:qualified.name``) of all docstrings, including those too short to be documents,
            which may make a name ambiguous.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._all = frozenset(ids)
        self._by_last: dict[str, list[str]] = defaultdict(list)
        for known in sorted(self._all):
            self._by_last[known.rsplit(".", 1)[-1]].append(known)

    def resolve(self, name: str, referrer: str) -> str | None:
        """Return the id that a name refers to in the docstring of ``referrer``; None if it is not unique.

        Scopes are searched from the referrer's class or module outwards to its package, then, for a dotted
        name, all packages; the first scope with the name decides. The parts of a dotted name must occur in
        this order in the qualified name, whose module may be private: ``linalg.norm`` is
        ``numpy.linalg._linalg.norm``. A bare name never refers to a method of another class.
        """
        prefix, _, last = name.rpartition(".")
        known = self._by_last.get(last, [])
        scope = referrer
        while "." in scope:
            scope = scope.rpartition(".")[0]
            sibling = f"{scope}.{name}"
            if sibling in known:
                return sibling
            inside = [candidate for candidate in known if candidate.startswith(f"{scope}.")]
            if prefix:
                matches = [candidate for candidate in inside if _occurs(prefix, candidate.split(":")[1])]
            else:
                matches = [candidate for candidate in inside if candidate.rpartition(".")[0] not in self._all]
            if matches:
                return matches[0] if len(matches) == 1 else None
        matches = [candidate for candidate in known if prefix and _occurs(prefix, candidate.split(":")[1])]
        return matches[0] if len(matches) == 1 else None


def _occurs(prefix: str, qualified: str) -> bool:
    """Return whether the parts of a prefix occur, in order, in a qualified name."""
    parts = iter(qualified.split("."))
    return not prefix or all(part in parts for part in prefix.split("."))


def make_see_also(entries: Sequence[Entry], names: NameIndex, groups: Clustering) -> Queries:
    """Make queries from the one-line descriptions of test documents.

    A description is used if its name refers to exactly one docstring, which is a document of a test cluster;
    if it is self-contained; if it paraphrases, that is, neither repeats the document's summary nor equals any
    entry's summary; and if no other line describes another document with the same words.
    """
    position = {entry.id: at for at, entry in enumerate(entries)}
    summaries = {normalised(entry.summary) for entry in entries}
    descriptions: dict[str, dict[int, str]] = defaultdict(dict)
    for referrer, name, text in _descriptions(entries):
        target = position.get(names.resolve(name, referrer) or "")
        if target is None or groups.split[target] != "test" or normalised(text) in summaries:
            continue
        own = frozenset(words(entries[target].summary))
        if jaccard(own, frozenset(words(text))) < SAME_WORDS:
            descriptions[normalised(text)].setdefault(target, text)
    accepted = sorted(
        (entries[target].id, text)
        for by_target in descriptions.values()
        if len(by_target) == 1
        for target, text in by_target.items()
    )
    shared = {at: positions for positions in groups.summaries for at in positions}
    ids, texts = [], []
    qrels: dict[str, dict[str, int]] = {}
    known: dict[str, tuple[str, ...]] = {}
    count: dict[str, int] = defaultdict(int)
    for target_id, text in accepted:
        count[target_id] += 1
        query = f"q:{target_id}#{count[target_id]}"
        relevant = shared.get(position[target_id], [position[target_id]])
        ids.append(query)
        texts.append(text)
        qrels[query] = judgements(relevant, groups, entries)
        known[query] = tuple(entries[at].id for at in relevant)
    return Queries(tuple(ids), tuple(texts), qrels, known)


def _descriptions(entries: Sequence[Entry]) -> Iterator[tuple[str, str, str]]:
    """Yield (id of the referrer, name, description) of all lines that are self-contained queries."""
    fewest, most = SUMMARY_WORDS
    for entry in entries:
        for name, text in entry.see_also:
            if fewest <= len(words(text)) <= most and not _RELATIVE.search(text):
                yield entry.id, name, text
