"""Pairing of two sides.

Two rows are paired by seed, as in their table. A run or an encoder has no seeds to pair: it is compared with
every seed of the other side and scores are averaged over those, so intervals are over queries only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.errors import UserError
from harness.evaluation.rankings import Ranking


@dataclass(frozen=True)
class SeedScores:
    """Scores and ranking of one seed on one split.

    Attributes:
        scores: frame with columns query, measure, value (a fraction).
        ranking: query -> document -> score, best first.
    """

    scores: pd.DataFrame
    ranking: Ranking

    def of(self, measure: str) -> pd.Series:
        """Return query -> score."""
        chosen = self.scores[self.scores["measure"] == measure]
        return chosen.set_index("query")["value"].sort_index()


@dataclass(frozen=True)
class SeedPair:
    """Both sides at one seed."""

    seed: int
    a: SeedScores
    b: SeedScores


def pair_up(a: Mapping[int, SeedScores], b: Mapping[int, SeedScores], *, by_seed: bool) -> list[SeedPair]:
    """Return the pairs of two sides.

    Args:
        a: seed -> scores of side A.
        b: seed -> scores of side B; unless `by_seed`, one of the sides has one member.
        by_seed: whether both sides are rows.

    Raises:
        UserError: rows without a common seed.
    """
    if not by_seed:
        return [SeedPair(max(s, t), one, other) for s, one in a.items() for t, other in b.items()]
    seeds = sorted(a.keys() & b.keys())
    if not seeds:
        raise UserError(
            "the two rows have no finished seed in common", fix="reproduce both with the same seeds"
        )
    return [SeedPair(seed, a[seed], b[seed]) for seed in seeds]


def score_tables(
    pairs: Sequence[SeedPair], measure: str, *, by_seed: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of A and of B as [S, Q]; without seeds to pair, averaged to [1, Q]."""
    tables = [
        pd.DataFrame({pair.seed: side.of(measure) for pair, side in zip(pairs, sides, strict=True)}).T
        for sides in ([pair.a for pair in pairs], [pair.b for pair in pairs])
    ]
    one, other = tables if by_seed else [table.mean().to_frame().T for table in tables]
    return one, other
