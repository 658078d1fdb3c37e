"""Mining candidates: all that a refresh does after encoding, over a bare search with faiss of the same
vectors.

    python -m tests.benchmarks.mining [--write]

Random unit vectors, exact search, K documents for each pair, one thread; with and without s(d+, d-), which
TriSampler's law reads. The search is in both, so that a ratio is below 1: 0.8 is 1.25 times the bare search.
Up to 32,768 documents scores are picked from the products with all documents, as they were when the committed
results were made; of more the chosen ones are gathered (`harness.negatives.sources.source`), and there our
documents are mapped from a file.
"""

from __future__ import annotations

import tempfile

import faiss
import numpy as np

from harness.negatives.mining import EVERYTHING, Miner, Reads
from harness.negatives.registry import make_source
from harness.negatives.sources.source import MANY
from tests.benchmarks.paired import Line, in_turn, seconds, shares, tell

SIZES = ((9_922, 14_661), (2_000, 65_536))
"""Pairs and documents."""

WIDTH, K, ROUNDS = 384, 200, 3
NONE = np.empty(0, dtype=np.int64)
READS = {
    "with s(d+, d-)": (EVERYTHING, 1 / 1.25),
    "without s(d+, d-)": (Reads(similarities=NONE), 1 / 1.1),
}
"""What is read -> how a round says it, and the ratio that is asked."""


def unit(count: int, rng: np.random.Generator) -> np.ndarray:
    """Random vectors of length 1."""
    vectors = rng.standard_normal((count, WIDTH), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def mapped(vectors: np.ndarray) -> np.ndarray:
    """Return vectors as a memory map of a file."""
    with tempfile.NamedTemporaryFile(suffix=".npy") as stream:
        np.save(stream, vectors)
        stream.flush()
        return np.load(stream.name, mmap_mode="r")


def bare(queries: np.ndarray, documents: np.ndarray) -> None:
    """Search as the library is used alone."""
    index = faiss.IndexFlatIP(WIDTH)
    index.add(documents)
    index.search(queries, K + 1)


def compared(pairs_count: int, documents_count: int, what: str) -> Line:
    """Return the line of a collection's size."""
    rng, (reads, asked) = np.random.default_rng(0), READS[what]
    queries, documents = unit(pairs_count, rng), unit(documents_count, rng)
    pairs = np.stack([np.arange(pairs_count), np.arange(pairs_count) % documents_count], axis=1)
    beside = mapped(documents) if documents_count > MANY else documents
    miner = Miner(make_source("top-k"), K, pairs, [pair[1:] for pair in pairs])

    def mine() -> object:
        return miner.mine(queries, beside, model="m", seed=0, reads=reads)

    timed = in_turn(lambda: seconds(mine), lambda: seconds(lambda: bare(queries, documents)), ROUNDS)
    case = f"{pairs_count:,} pairs, {documents_count:,} documents of {WIDTH}, K {K}, {what}"
    return Line.of(case, "bare faiss", timed, asked=asked, note=f"ours goes into {shares(mine)}")


def main() -> None:
    """Print the ratios."""
    faiss.omp_set_num_threads(1)
    lines = [compared(*size, what) for size in SIZES for what in READS]
    tell("mining", "Mining candidates", lines, ("faiss-cpu", "numpy"))


if __name__ == "__main__":
    main()
