"""What the intervals cover where the truth is known: simulated tables of differences [S, Q].

Seed, query and rest are normal, with a true mean of 0.01 and 60 queries. A regime is named by the ratios of
expected mean squares: MS_seed / MS_rest = 1 + Q var(seed) / var(rest) is 1 where seeds do not matter, and
likewise for queries. In the regime `lumpy`, four queries of five differ in nothing and the others by what
reciprocal ranks differ by, as scores do. `python tests/benchmarks/interval_coverage.py` prints the table of
docs/statistics.md; with a number, that many simulations a regime.
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
    header = ["Seeds", "MS_seed / MS_rest", "MS_query / MS_rest", "these checkpoints", "the method"]
    lines = []
    for regime, covered in found.items():
        counts = (covered.checkpoints, covered.method, covered.satterthwaite)
        lumpy = ", lumpy" if regime.lumpy else ""
        ratios = [f"{regime.of_seeds:g}", f"{regime.of_queries:g}{lumpy}"]
        if regime.seeds == 1:
            ratios = ["–", lumpy.removeprefix(", ") or "–"]
        shares = ["–" if k is None else f"{100 * k / covered.simulations:.1f} %" for k in counts]
        lines.append([str(regime.seeds), *ratios, *shares])
    columns = tuple(TableColumn(name) for name in (*header, "one quantile (Satterthwaite)"))
    return pipe_table(Table("", columns, tuple(map(fields, lines))))


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else SIMULATIONS
    print(coverage_table({regime: measure(regime, number) for regime in REGIMES}))
