"""What a difference between two rows means: for these checkpoints, and for the method.

Input everywhere is `differences` [S, Q]: a row minus the baseline, seed s paired with the same seed, query
q with the same query. The model is that of two crossed random effects, one observation a cell:

    d[s, q] = mean + seed[s] + query[q] + rest[s, q]

Two questions are asked of it. *These checkpoints*: were other queries drawn, would these trained models
differ? *The method*: were other queries drawn and the models trained again from other seeds, would they?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.errors import UserError
from harness.evaluation.interval import Interval, VarianceComponent

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MeanSquares:
    """Mean squares of the two-way layout with one observation a cell."""

    seed: float
    query: float
    residual: float


def checkpoint_interval(differences: npt.ArrayLike, level: float) -> Interval:
    """Return the interval for these checkpoints: paired over queries, averaged over seeds.

    The paired t interval of the query means m[q] = mean over s of d[s, q]: standard error sd(m) / sqrt(Q),
    Q - 1 degrees of freedom (Student 1908; for retrieval, Smucker, Allan and Carterette, CIKM 2007).

    Args:
        differences: [S, Q], fractions.
        level: confidence in (0, 1).

    Returns:
        The interval; it says nothing about other seeds.

    Raises:
        UserError: fewer than two queries, numbers that are not finite, or a level outside (0, 1).
    """
    table = _table(differences, level)
    means = table.mean(axis=0)
    queries = table.shape[1]
    return Interval(
        float(table.mean()), (VarianceComponent(_dust_free(means) ** 2 / queries, queries - 1),), level
    )


def method_interval(differences: npt.ArrayLike, level: float) -> Interval | None:
    """Return the interval for the method: seeds and queries are crossed random effects.

    The variance of the grand mean is var(seed)/S + var(query)/Q + var(rest)/(S Q). Its two parts are
    estimated without bias from the mean squares (Searle, Casella and McCulloch, Variance Components, 1992),
    and are known very differently well:

        var(seed)/S + var(rest)/(S Q)  by  MS_seed / (S Q), with S - 1 degrees of freedom
        var(query)/Q                   by  (MS_query - MS_rest) / (S Q), at least 0; taken to have Q - 1

    So each is multiplied by the squared quantile of its own degrees of freedom (Banerjee's interval, which
    covers at least with its level; see `Interval`). One quantile for the sum, with Satterthwaite's degrees of
    freedom, does not: where three seeds happen to agree, it takes their small mean square for a sign that
    seeds matter little, and gives them the degrees of freedom of the queries. It covers down to 93 % with
    three seeds and 88 % with two; `docs/statistics.md` has both, measured.

    The interval is never narrower than the one for these checkpoints, as it asks for more.

    Args:
        differences: [S, Q], fractions.
        level: confidence in (0, 1).

    Returns:
        The interval, or None with one seed: one seed tells nothing about the method.

    Raises:
        UserError: as for `checkpoint_interval`.
    """
    table = _table(differences, level)
    seeds, queries = table.shape
    if seeds == 1:
        return None
    squares = mean_squares(table)
    of_seeds = VarianceComponent(squares.seed / (seeds * queries), seeds - 1)
    of_queries = VarianceComponent(
        max(squares.query - squares.residual, 0.0) / (seeds * queries), queries - 1
    )
    checkpoints = checkpoint_interval(table, level)
    return Interval(checkpoints.mean, (of_seeds, of_queries), level, least=checkpoints.parts)


def mean_squares(table: FloatArray) -> MeanSquares:
    """Return the mean squares of `table` [S, Q], S and Q at least 2."""
    seeds, queries = table.shape
    of_seed, of_query = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    residual = table - of_seed - of_query + table.mean()
    return MeanSquares(
        seed=queries * _dust_free(of_seed.ravel()) ** 2,
        query=seeds * _dust_free(of_query.ravel()) ** 2,
        residual=float((residual**2).sum()) / ((seeds - 1) * (queries - 1)),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values, in the order given (Holm, Scandinavian Journal of Statistics 1979).

    The i-th smallest of m (i from 0) is multiplied by m - i, made monotone, and cut at 1.
    """
    order = sorted(range(len(p_values)), key=lambda position: p_values[position])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, position in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[position]))
        adjusted[position] = running
    return adjusted


def _dust_free(values: FloatArray) -> float:
    """Standard deviation; exactly 0 for values that are equal but for rounding in their means."""
    spread = float(values.std(ddof=1))
    return 0.0 if spread <= 1e-14 * float(np.abs(values).max()) else spread


def _table(differences: npt.ArrayLike, level: float) -> FloatArray:
    """Check and return [S, Q] float64."""
    table = np.asarray(differences, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] < 2:
        raise UserError(
            f"an interval needs values [seeds, queries], at least two queries, got shape {list(table.shape)}"
        )
    if not np.isfinite(table).all():
        raise UserError("an interval needs finite values", fix="look for queries without a score")
    if not 0 < level < 1:
        raise UserError(f"a confidence level lies between 0 and 1, got {level}")
    return table
