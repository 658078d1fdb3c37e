"""What the intervals cover where the truth is known: simulated tables of differences [S, Q].

Seed, query and rest are normal, with a true mean of 0.01 and 60 queries. A regime is named by the ratios of
expected mean squares: MS_seed / MS_rest = 1 + Q var(seed) / var(rest) is 1 where seeds do not matter, and
likewise for queries. In the regime `lumpy`, four queries of five differ in nothing and the others by what
reciprocal ranks differ by, as scores do. `python tests/benchmarks/interval_coverage.py` prints the tables of
docs/statistics.md; with a number, that many simulations a regime.

In the second table the queries are of 60 clusters of one to seven, and half of the variance of queries and of
the rest is shared by the queries of a cluster. There the ratios are of mean squares over clusters.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

from harness.evaluation.significance import checkpoint_interval, method_interval
from harness.reports.document import Table, TableColumn, fields
from harness.reports.renderers.markdown import pipe_table

SIMULATIONS, QUERIES, LEVEL, MEAN, REST = 2_000, 60, 0.95, 0.01, 0.15
PAGE = Path(__file__).parents[2] / "docs/statistics.md"
SIZES = np.resize(np.arange(1, 8), QUERIES)
CLUSTERS = np.repeat(np.arange(QUERIES), SIZES)
SHARED = 0.5
STEPS = np.array([-1, -2 / 3, -0.5, -1 / 3, 1 / 3, 0.5, 2 / 3, 1])


@dataclass(frozen=True)
class Regime:
    """How much seeds and queries matter, and how many seeds there are."""

    seeds: int
    of_seeds: float
    of_queries: float
    lumpy: bool = False


REGIMES = [
    Regime(1, 1, 1),
    *(Regime(2, of_seeds, 1) for of_seeds in (1, 10, 100)),
    *(Regime(s, of_seeds, q) for s in (3, 5) for q in (1, 4) for of_seeds in (1, 3, 10, 100)),
    Regime(1, 1, 1, lumpy=True),
    *(Regime(s, of_seeds, 1.5, lumpy=True) for s in (3, 5) for of_seeds in (1, 10)),
]


@dataclass(frozen=True)
class Covered:
    """How many of the simulations each interval covered; `method` is none with one seed."""

    checkpoints: int
    method: int | None
    satterthwaite: int | None
    simulations: int


def simulate(regime: Regime, simulations: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences [N, S, Q], and the mean of these checkpoints in each, [N]."""
    place = REGIMES.index(regime)
    rng = np.random.default_rng((5, place))
    sds = [
        REST * np.sqrt((regime.of_seeds - 1) / QUERIES),
        REST * np.sqrt((regime.of_queries - 1) / regime.seeds),
    ]
    of_seed = rng.normal(0, 1, (simulations, regime.seeds, 1)) * sds[0]
    shapes = [(simulations, 1, QUERIES), (simulations, regime.seeds, QUERIES)]
    if regime.lumpy:
        touched = rng.random(shapes[0]) < 0.2
        of_query, rest = (
            touched * rng.choice(STEPS, shape) / np.sqrt(0.2 * np.mean(STEPS**2)) for shape in shapes
        )
    else:
        of_query, rest = (rng.normal(0, 1, shape) for shape in shapes)
    tables = MEAN + of_seed + of_query * sds[1] + rest * REST
    return tables, MEAN + of_seed.mean(axis=(1, 2))


def measure(regime: Regime, simulations: int = SIMULATIONS) -> Covered:
    """Count what the intervals cover: the mean of these checkpoints, and the mean of the method."""
    tables, of_these = simulate(regime, simulations)
    checkpoints = [checkpoint_interval(table, LEVEL) for table in tables]
    hits = sum(i.low <= truth <= i.high for i, truth in zip(checkpoints, of_these, strict=True))
    if regime.seeds == 1:
        return Covered(hits, None, None, simulations)
    method = [method_interval(table, LEVEL) for table in tables]
    return Covered(
        hits,
        sum(i is not None and i.low <= MEAN <= i.high for i in method),
        int((np.abs(tables.mean(axis=(1, 2)) - MEAN) <= satterthwaite(tables)).sum()),
        simulations,
    )


@dataclass(frozen=True)
class ClusteredCovered:
    """How many simulations of clustered queries were covered, taken as independent and by cluster."""

    independent: tuple[int, int | None]
    clustered: tuple[int, int | None]
    simulations: int


def simulate_clustered(regime: Regime, simulations: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences [N, S, Q] of clustered queries, and the mean of these checkpoints in each, [N]."""
    rng = np.random.default_rng((6, REGIMES.index(regime)))
    of_cluster = SHARED * SIZES**2 + (1 - SHARED) * SIZES
    of_mean = float(of_cluster.sum()) / SIZES.sum() ** 2  # variance of the mean of queries of variance 1

    def drawn(seeds: int) -> np.ndarray:
        shared, own = (
            _lumpy(rng, (simulations, seeds, n))
            if regime.lumpy
            else rng.normal(0, 1, (simulations, seeds, n))
            for n in (QUERIES, len(CLUSTERS))
        )
        return np.sqrt(SHARED) * shared[:, :, CLUSTERS] + np.sqrt(1 - SHARED) * own

    of_seed = rng.normal(0, REST * np.sqrt((regime.of_seeds - 1) * of_mean), (simulations, regime.seeds, 1))
    of_query = REST * np.sqrt((regime.of_queries - 1) / regime.seeds) * drawn(1)
    return MEAN + of_seed + of_query + REST * drawn(regime.seeds), MEAN + of_seed.mean(axis=(1, 2))


def measure_clustered(regime: Regime, simulations: int = SIMULATIONS) -> ClusteredCovered:
    """Count what the intervals cover where queries are clustered."""
    tables, of_these = simulate_clustered(regime, simulations)

    def covered(clusters: np.ndarray | None) -> tuple[int, int | None]:
        checkpoints = [checkpoint_interval(table, LEVEL, clusters) for table in tables]
        hits = sum(i.low <= truth <= i.high for i, truth in zip(checkpoints, of_these, strict=True))
        if regime.seeds == 1:
            return hits, None
        method = [method_interval(table, LEVEL, clusters) for table in tables]
        return hits, sum(i is not None and i.low <= MEAN <= i.high for i in method)

    return ClusteredCovered(covered(None), covered(CLUSTERS), simulations)


def _lumpy(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Four of five 0, the others steps of reciprocal ranks; of variance 1."""
    touched = rng.random(shape) < 0.2
    lumps: np.ndarray = touched * rng.choice(STEPS, shape) / np.sqrt(0.2 * np.mean(STEPS**2))
    return lumps


def satterthwaite(tables: np.ndarray) -> np.ndarray:
    """Half-widths [N] with one quantile for the sum, the usual way; for comparison."""
    seeds, queries = tables.shape[1:]
    of_seed, of_query = tables.mean(axis=2, keepdims=True), tables.mean(axis=1, keepdims=True)
    rest = tables - of_seed - of_query + tables.mean(axis=(1, 2), keepdims=True)
    df = np.array([seeds - 1, queries - 1, (seeds - 1) * (queries - 1)])
    squares = np.stack(
        [
            queries * of_seed.var(axis=(1, 2)) * seeds / df[0],
            seeds * of_query.var(axis=(1, 2)) * queries / df[1],
            (rest**2).sum(axis=(1, 2)) / df[2],
        ]
    )
    combined, larger = squares[0] + squares[1] - squares[2], squares[:2].max(axis=0)
    of_both = combined**2 / (squares**2 / df[:, None]).sum(axis=0)
    of_larger = df[squares[:2].argmax(axis=0)]
    found = np.where(combined < larger, of_larger, of_both)  # a negative variance counts as 0
    return special.stdtrit(found, 0.5 + LEVEL / 2) * np.sqrt(np.maximum(combined, larger) / (seeds * queries))


def coverage_table(found: dict[Regime, Covered]) -> str:
    """The table of the page."""
    shares = {
        regime: _shares((of.checkpoints, of.method, of.satterthwaite), of.simulations)
        for regime, of in found.items()
    }
    return _table(shares, ("these checkpoints", "the method", "one quantile (Satterthwaite)"))


def clustered_table(found: dict[Regime, ClusteredCovered]) -> str:
    """The table of the page on clusters."""
    shares = {
        regime: _shares((*of.clustered, *of.independent), of.simulations) for regime, of in found.items()
    }
    over = ("these checkpoints", "the method")
    return _table(
        shares, (*(f"{name}, by cluster" for name in over), *(f"{name}, by query" for name in over))
    )


def _shares(counts: tuple[int | None, ...], simulations: int) -> list[str]:
    return ["–" if k is None else f"{100 * k / simulations:.1f} %" for k in counts]


def _table(shares: dict[Regime, list[str]], names: tuple[str, ...]) -> str:
    lines = []
    for regime, texts in shares.items():
        lumpy = ", lumpy" if regime.lumpy else ""
        ratios = [f"{regime.of_seeds:g}", f"{regime.of_queries:g}{lumpy}"]
        if regime.seeds == 1:
            ratios = ["–", lumpy.removeprefix(", ") or "–"]
        lines.append([str(regime.seeds), *ratios, *texts])
    header = ("Seeds", "MS_seed / MS_rest", "MS_query / MS_rest", *names)
    return pipe_table(Table("", tuple(map(TableColumn, header)), tuple(map(fields, lines))))


def main(simulations: int = SIMULATIONS) -> None:
    """Print both tables."""
    print(coverage_table({regime: measure(regime, simulations) for regime in REGIMES}))
    print()
    print(clustered_table({regime: measure_clustered(regime, simulations) for regime in REGIMES}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
