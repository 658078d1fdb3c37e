"""Two sides query by query: pure functions on pairs of scores and rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from scipy import stats

from harness.compare.pairs import SeedPair
from harness.compare.positives import top_overlap

DUST = 1e-9
"""Differences below this are rounding errors of means over seeds."""


@dataclass(frozen=True)
class Outcome:
    """How many queries each side answers better.

    Attributes:
        wins: number of queries that A answers better.
        ties: number of queries with equal scores.
        losses: number of queries that B answers better.
        p_value: of a two-sided sign test over wins and losses (Conover, Practical Nonparametric Statistics,
            1999, section 3.4); ties are left out.
    """

    wins: int
    ties: int
    losses: int
    p_value: float

    @property
    def queries(self) -> int:
        """Number of queries."""
        return self.wins + self.ties + self.losses


def outcome(differences: pd.Series) -> Outcome:
    """Count wins, ties and losses of A in query -> difference."""
    wins, losses = int((differences > DUST).sum()), int((differences < -DUST).sum())
    p_value = float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    return Outcome(wins, len(differences) - wins - losses, losses, p_value)


def query_lines(pairs: Sequence[SeedPair], measure: str, ranks: pd.DataFrame) -> pd.DataFrame:
    """Return one line per seed and query.

    Args:
        pairs: both sides by seed.
        measure: name of the compared measure.
        ranks: frame of `positive_ranks`.

    Returns:
        Columns query, seed, a, b, difference, rank_a and rank_b (of the first relevant document, missing
        where none is retrieved), overlap (of the first ten documents, a fraction).
    """
    frames = []
    for pair in pairs:
        scores = pd.DataFrame({"a": pair.a.of(measure), "b": pair.b.of(measure)}).rename_axis("query")
        overlaps = {query: top_overlap(pair, query) for query in scores.index}
        frames.append(scores.assign(seed=pair.seed, overlap=pd.Series(overlaps)).reset_index())
    lines = pd.concat(frames, ignore_index=True)
    lines["difference"] = lines["a"] - lines["b"]
    first = ranks.groupby(["seed", "query"])[["rank_a", "rank_b"]].min().reset_index()
    order = ["query", "seed", "a", "b", "difference", "rank_a", "rank_b", "overlap"]
    return lines.merge(first, on=["seed", "query"], how="left")[order].sort_values(["query", "seed"])


def by_query(lines: pd.DataFrame) -> pd.DataFrame:
    """Return query -> a, b, difference, averaged over seeds."""
    return lines.groupby("query")[["a", "b", "difference"]].mean()


def furthest(means: pd.DataFrame, count: int) -> tuple[list[str], list[str]]:
    """Return the queries with A's largest gains, and with its largest losses; ties are ordered by id."""
    ordered = means.reset_index().sort_values(["difference", "query"], ascending=[False, True])
    gains = ordered[ordered["difference"] > DUST]["query"]
    ordered = ordered.sort_values(["difference", "query"])
    losses = ordered[ordered["difference"] < -DUST]["query"]
    return list(gains[:count]), list(losses[:count])
