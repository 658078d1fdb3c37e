"""Draws a second: weights, noise and draw of SimANS, against a union loop in Python like the released one.

128 rows of 200 candidates, 15 draws each, one thread, both laws of the released scripts. The loop is the
released one's idea: 15 draws with replacement from what is not chosen yet until at least 15 are, cut to 15;
weights come from the same formula. Both are timed in turn in one run, CPU seconds:
`OMP_NUM_THREADS=1 python -m tests.benchmarks.draws`.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

import numpy as np

from harness.negatives.candidates import Candidates
from harness.negatives.noise import Noise
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler

ROWS, K, N, ROUNDS = 128, 200, 15, 9
LAWS: dict[str, tuple[dict[str, float | str], Callable[[float], float]]] = {
    "exp(-0.5 gap^2), NQ, TQ, MS-Doc": ({"a": 0.5}, lambda gap: math.exp(-0.5 * gap**2)),
    "exp(-3 |gap|), MS-Pas": ({"shape": "laplace", "a": 3.0}, lambda gap: math.exp(-3 * abs(gap))),
}


def candidates() -> Candidates:
    """Scores like a retriever's: sd 2, the positive near the top."""
    rng = np.random.default_rng(0)
    score = rng.normal(70, 2, (ROWS, K)).astype(np.float32)
    ones = np.ones((ROWS, K), dtype=np.float32)
    return Candidates(
        query=np.arange(ROWS),
        positive=np.full(ROWS, 10**8),
        document=np.stack([rng.choice(8_000_000, K, replace=False) for _ in range(ROWS)]),
        score=score,
        positive_score=score.max(axis=1) - 1,
        positive_retrieved=np.ones(ROWS, dtype=bool),
        positive_similarity=score,
        valid=np.ones((ROWS, K), dtype=bool),
        origin=np.zeros((ROWS, K), dtype=np.int8),
        query_norm=ones[:, 0],
        positive_norm=ones[:, 0],
        document_norm=ones,
        model="benchmark",
    )


def union_loop(score: list[list[float]], positive: list[float], pool: list[list[int]], weight) -> None:
    """Draw for each query by itself."""
    for scores, own, documents in zip(score, positive, pool, strict=True):
        left, weights = documents, [weight(s - own) for s in scores]
        chosen: set[int] = set()
        while len(chosen) < N:
            chosen |= set(random.choices(left, weights=weights, k=N))
            if len(chosen) < N:
                keep = [place for place, document in enumerate(left) if document not in chosen]
                left, weights = [left[place] for place in keep], [weights[place] for place in keep]
        list(chosen)[:N]


def seconds(work: Callable[[], object], times: int) -> float:
    """CPU seconds of one call, the mean over some."""
    begin = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begin) / times


def main() -> None:
    """Print rows a CPU second and their ratio, the median over rounds."""
    rows, noise = candidates(), Noise(1, 0, np.zeros(ROWS, dtype=np.int64))
    lists = rows.score.tolist(), rows.positive_score.tolist(), rows.document.tolist()
    random.seed(0)
    for name, (parameters, weight) in LAWS.items():
        sampler = Sampler(make_law("simans", parameters), make_draw("without-replacement"), N)
        pairs = [
            (
                seconds(lambda w=weight: union_loop(*lists, w), 5),
                seconds(lambda s=sampler: s(rows, noise), 100),
            )
            for _ in range(ROUNDS)
        ]
        loop, ours = np.median(pairs, axis=0)
        ratio = np.median([a / b for a, b in pairs])
        print(f"{name}: loop {ROWS / loop:,.0f} rows/s, ours {ROWS / ours:,.0f} rows/s, ratio {ratio:.1f}")


if __name__ == "__main__":
    main()
