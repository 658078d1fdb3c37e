"""Exact search: here, against `sentence_transformers.util.semantic_search` on the same vectors.

python -m tests.benchmarks.search [--write]
"""

from __future__ import annotations

import faiss
import numpy as np
import torch
from sentence_transformers.util import dot_score, semantic_search

from harness.retrieval.search import exact_search
from tests.benchmarks.paired import Line, in_turn, seconds, tell

QUERIES, DOCUMENTS, WIDTH, K, ROUNDS = 2_000, 14_661, 384, 200, 5


def main() -> None:
    """Print the ratio."""
    faiss.omp_set_num_threads(1)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    queries, documents = (rng.standard_normal((n, WIDTH), dtype=np.float32) for n in (QUERIES, DOCUMENTS))

    def theirs() -> list[list[dict[str, float]]]:
        return semantic_search(queries, documents, top_k=K, score_function=dot_score)

    there = np.array([[hit["corpus_id"] for hit in hits] for hits in theirs()])
    same = float((there == exact_search(queries, documents, K)[1]).mean())
    timed = in_turn(
        lambda: seconds(lambda: exact_search(queries, documents, K)), lambda: seconds(theirs), ROUNDS
    )
    case = f"{QUERIES:,} queries, {DOCUMENTS:,} documents of {WIDTH}, K {K}"
    note = f"the same document at {100 * same:.4g} % of the places"
    packages = ("faiss-cpu", "torch", "sentence-transformers")
    tell("search", "Exact search", [Line.of(case, "semantic_search", timed, note=note)], packages)


if __name__ == "__main__":
    main()
