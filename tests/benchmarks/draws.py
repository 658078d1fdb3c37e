"""Draws a second: weights, noise and draw of SimANS, against a union loop in Python like the released one.

128 rows of 200 candidates, 15 draws each, one thread, both laws of the released scripts. The loop is the
released one's idea: 15 draws with replacement from what is not chosen yet until at least 15 are, cut to 15;
weights come from the same formula. Both are timed in turn in one run, CPU seconds:
`OMP_NUM_THREADS=1 python -m tests.benchmarks.draws [--write]`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from harness.negatives.candidates import Candidates
from harness.negatives.noise import Noise
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler
from tests.benchmarks.paired import Line, in_turn, seconds, shares, tell

ROWS, K, N, ROUNDS = 128, 200, 15, 9
CALLS = (100, 5)
"""Of a round: ours, the loop's."""

ASKED = 25.0
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


def main() -> None:
    """Print the ratios."""
    rows, noise = candidates(), Noise(1, 0, np.zeros(ROWS, dtype=np.int64))
    lists = rows.score.tolist(), rows.positive_score.tolist(), rows.document.tolist()
    random.seed(0)
    lines = []
    for name, (parameters, weight) in LAWS.items():
        sampler = Sampler(make_law("simans", parameters), make_draw("without-replacement"), N)
        timed = in_turn(
            lambda s=sampler: seconds(lambda: s(rows, noise), CALLS[0]),
            lambda w=weight: seconds(lambda: union_loop(*lists, w), CALLS[1]),
            ROUNDS,
        )
        line = Line.of(
            f"{name}, {ROWS} rows of {K}, {N} drawn", "a loop like the released one", timed, asked=ASKED
        )
        goes = shares(lambda s=sampler: [s(rows, noise) for _ in range(CALLS[0])])
        note = (
            f"rows a second: {ROWS / line.theirs:,.0f}, ours {ROWS / line.ours:,.0f}; ours goes into {goes}"
        )
        lines.append(replace(line, note=note))
    tell("draws", "Drawing negatives", lines, ("numpy",))


if __name__ == "__main__":
    main()
