"""What the n best keep where a sampler draws: the same false negatives, how much more or less information.

Over n the n best by score make a curve: false negatives drawn, information kept (`harness.analysis.trade`).
A sampler lies above or below the point of that curve at which the n best draw as many false negatives.
The n best draw nothing by chance, so the curve is exact for given queries.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from harness.analysis.draws import VISITS, drawn_columns, each_sampler
from harness.analysis.false_negatives import known_relevant
from harness.analysis.over_queries import LEVEL, resampled
from harness.analysis.trade import drawn_sums, pushes
from harness.errors import UserError
from harness.negatives.candidates import Booleans, Candidates, Floats, Integers
from harness.negatives.sampler import Sampler
from harness.training.batches import TrainingPairs

RESAMPLES = 1000
"""Of the queries, for the interval."""


def against_best(
    samplers: Mapping[str, Sampler], candidates: Candidates, pairs: TrainingPairs, *, visits: int = VISITS
) -> pd.DataFrame:
    """Compare samplers with the n best, at as many false negatives as each draws.

    Args:
        samplers: by name, each with its own n.
        candidates: of one refresh.
        pairs: of the split that the candidates belong to.
        visits: how often each row is drawn.

    Returns:
        A line for each sampler, with columns ``sampler``; ``n``; ``of_known``, the share of the known
        relevant candidates that a visit draws; ``kept``, the share of the information of all others;
        ``best_n``, how many of the best draw the same share of the known relevant, interpolated, and the
        largest number where several do; ``kept_by_best``, what those keep; ``difference``, kept less
        kept_by_best, with ``low`` and ``high``, the percentile bootstrap's interval over queries.

    Raises:
        UserError: no candidate is known to be relevant, no sampler, a score that is not finite, or a row
            without candidates.
    """
    known = known_relevant(candidates, pairs)
    if not known.any():
        raise UserError(
            "no candidate is known to be relevant, so nothing is paid for information",
            where="false negatives",
            fix="give more rows, or a collection with more than labels",
        )
    useful = np.where(known, 0.0, pushes(candidates))
    times = _resampled(candidates.query)
    order = np.argsort(candidates.rank(), axis=1)
    curve = [_along(values, order, times) for values in (known, useful)]
    lines = []
    for name, sampler in each_sampler(samplers):
        columns = drawn_columns(sampler, candidates, visits=visits)
        drawn = (times @ values / visits for values in drawn_sums(known, useful, columns))
        of_known, information = (values / of[:, -1] for values, of in zip(drawn, curve, strict=True))
        best_n, best_information = _on_curve(of_known, *(of / of[:, -1:] for of in curve))
        difference = information - best_information
        ends = np.nanquantile(difference[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        at = (of[0] for of in (of_known, information, best_n, best_information, difference))
        lines.append((name, sampler.negatives, *map(float, (*at, *ends))))
    names = "sampler n of_known kept best_n kept_by_best difference low high"
    return pd.DataFrame(lines, columns=names.split())


def _resampled(query: Integers) -> Floats:
    """Return how often each row counts, [1 + RESAMPLES, R]: once, then as often as its query was drawn."""
    _, place = np.unique(query, return_inverse=True)
    queries = int(place.max()) + 1
    drawn = resampled(np.random.default_rng(0), queries, RESAMPLES)
    return np.vstack([np.ones(len(query)), drawn[:, place]])


def _along(values: Floats | Booleans, order: Integers, times: Floats) -> Floats:
    """Return the sums over rows of the n best of each, [1 + RESAMPLES, K + 1], n from 0."""
    sums = np.cumsum(np.take_along_axis(values.astype(np.float64), order, axis=1), axis=1)
    return times @ np.pad(sums, ((0, 0), (1, 0)))


def _on_curve(of_known: Floats, curve_known: Floats, curve_information: Floats) -> tuple[Floats, Floats]:
    """Return n, and what is kept, where the n best have found as much."""
    n = np.arange(curve_known.shape[1])
    points = [
        (np.interp(at, x, n), np.interp(at, x, y))
        for at, x, y in zip(of_known, curve_known, curve_information, strict=True)
    ]
    best_n, information = np.array(points).T
    return best_n, information
