"""What the built-in collections share: documents, queries, and how common their answers are.

``python -m harness.collections.overlap`` builds ``pydocs`` and the harvested collections, which takes some
minutes, and prints a line for each of them and for each pair.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import chain, combinations

from harness.collections.answers import documents_holding
from harness.collections.collection import Collection
from harness.collections.harvested.build import build_harvested
from harness.collections.harvested.names import NAMES
from harness.collections.pydocs import build_pydocs
from harness.collections.pydocs.clusters import normalised
from harness.errors import UserError


def shared(one: Collection, other: Collection) -> tuple[int, int]:
    """Return how many documents and queries of two collections have the same words in the same order."""
    return len(_documents(one) & _documents(other)), len(_queries(one) & _queries(other))


def commonest_answer(collection: Collection) -> float | None:
    """Return the share of documents that hold the answer which most hold; none without answers."""
    given = {
        answer
        for queries in collection.queries.values()
        for answer in chain.from_iterable(queries.answers.values())
    }
    counts = documents_holding(collection.documents, given)
    return max(counts.values()) / len(collection.documents) if counts else None


def described(collections: Mapping[str, Collection]) -> Iterator[str]:
    """Yield a line for each collection, and for each pair of them."""
    for name, collection in collections.items():
        sizes = ", ".join(f"{len(queries):,} {split}" for split, queries in collection.queries.items())
        lengths = sorted(len(document.split()) for document in collection.documents)
        median, most = lengths[len(lengths) // 2], lengths[len(lengths) * 9 // 10]
        words = f"words {median} in the median, {most:,} at most in nine of ten"
        share = commonest_answer(collection)
        answers = "" if share is None else f"; an answer is in {100 * share:.2f} % of the documents at most"
        yield f"{name}: {len(lengths):,} documents ({words}); queries {sizes}{answers}"
    for (name, one), (other_name, other) in combinations(collections.items(), 2):
        documents, queries = shared(one, other)
        yield f"{name} and {other_name}: {documents:,} documents and {queries:,} queries shared"


def _documents(collection: Collection) -> set[str]:
    return set(map(normalised, collection.documents))


def _queries(collection: Collection) -> set[str]:
    return {normalised(text) for queries in collection.queries.values() for text in queries.texts}


def main() -> int:
    """Build the collections and print what they share."""
    try:
        collections: dict[str, Collection] = {"pydocs": build_pydocs()}
        collections |= {name: build_harvested(name) for name in NAMES}
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.writelines(f"{line}\n" for line in described(collections))
    return 0


if __name__ == "__main__":
    sys.exit(main())
