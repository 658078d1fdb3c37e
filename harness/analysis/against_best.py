"""Samplers against the n best by score: how much more information they keep at equal false negatives.

The n best trace a curve over n: false negatives drawn, information kept (`harness.analysis.trade`). A sampler
is compared with the point of that curve at which the n best draw as many false negatives. The n best are
deterministic, so the curve is exact for a set of queries.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from harness.analysis.draws import VISITS, drawn_columns, each_sampler
from harness.analysis.false_negatives import known_relevant
from harness.analysis.trade import drawn_sums, pushes
from harness.errors import UserError
from harness.evaluation.over_queries import LEVEL, resampled
from harness.negatives.candidates import Booleans, Candidates, Floats, Integers
from harness.negatives.sampler import Sampler
from harness.training.batches import TrainingPairs

RESAMPLES = 1000
"""Bootstrap resamples of the queries."""


def against_best(
    samplers: Mapping[str, Sampler], candidates: Candidates, pairs: TrainingPairs, *, visits: int = VISITS
) -> pd.DataFrame:
    """Compare samplers with the n best at equal false negatives.

    Args:
        samplers: name -> sampler, each with its own n.
        candidates: candidates of one refresh.
        pairs: labelled pairs of the candidates' split.
        visits: draws of each row.

    Returns:
        One line per sampler, with columns ``sampler``; ``n``; ``of_known``, the share of the known
        relevant candidates that a visit draws; ``kept``, the share of the information of all others;
        ``best_n``, the n at which the n best draw the same share of the known relevant, interpolated, the
        largest if several do; ``kept_by_best``, the share that those keep; ``difference``, kept minus
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
    """Return weights of rows, [1 + RESAMPLES, R]: all 1, then the counts of their queries in resamples."""
    _, place = np.unique(query, return_inverse=True)
    queries = int(place.max()) + 1
    drawn = resampled(np.random.default_rng(0), queries, RESAMPLES)
    return np.vstack([np.ones(len(query)), drawn[:, place]])


def _along(values: Floats | Booleans, order: Integers, times: Floats) -> Floats:
    """Return the sums over rows of each row's n best, [1 + RESAMPLES, K + 1], for n from 0."""
    sums = np.cumsum(np.take_along_axis(values.astype(np.float64), order, axis=1), axis=1)
    return times @ np.pad(sums, ((0, 0), (1, 0)))


def _on_curve(of_known: Floats, curve_known: Floats, curve_information: Floats) -> tuple[Floats, Floats]:
    """Return n, and the information kept, where the curve of the n best reaches `of_known`."""
    n = np.arange(curve_known.shape[1])
    points = [
        (np.interp(at, x, n), np.interp(at, x, y))
        for at, x, y in zip(of_known, curve_known, curve_information, strict=True)
    ]
    best_n, information = np.array(points).T
    return best_n, information
