"""Information against false negatives: the cost of hard negatives.

If all K candidates were in the softmax loss -log(exp(s+) / (exp(s+) + sum_k exp(s_k))), its derivative by the
score of negative j would be

    g_j = exp(s_j) / (exp(s+) + sum_k exp(s_k))

how hard the loss pushes j away. The information kept by a draw is the sum of g_j over the drawn negatives
that are not known to be relevant, since a false negative is pushed the wrong way. It has two denominators:
the sum over all K candidates that are not known to be relevant, and the largest sum that n of them can have.
Of the first, any sampler keeps all at n = K, where it also draws every false negative; of the second, the n
best by score lose what they spend on false negatives. Sums run over all rows, so queries count by their
information.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.draws import VISITS, at_drawn, drawn_columns, each_sampler
from harness.analysis.false_negatives import known_relevant
from harness.evaluation.over_queries import Estimate, mean, share
from harness.negatives.candidates import Booleans, Candidates, Floats, Integers
from harness.negatives.draws.best import Best
from harness.negatives.draws.without_replacement import WithoutReplacement
from harness.negatives.laws.score import Score
from harness.negatives.laws.uniform import Uniform
from harness.negatives.registry import make_law
from harness.negatives.sampler import Sampler
from harness.pieces import settings_of
from harness.training.batches import TrainingPairs

COUNTS = (1, 3, 7, 15, 30, 60)
"""Values of n along a curve."""

REFERENCES = {
    "n best": Sampler(Score(), Best(), 1),
    "uniform over K": Sampler(Uniform(), WithoutReplacement(), 1),
}
"""References in every figure: the greedy choice and uniform sampling."""


def trade(
    samplers: Mapping[str, Sampler],
    candidates: Candidates,
    pairs: TrainingPairs,
    *,
    counts: Sequence[int] = COUNTS,
    visits: int = VISITS,
) -> pd.DataFrame:
    """Return information kept and false negatives drawn by samplers, over n.

    Args:
        samplers: name -> sampler; their n is replaced.
        candidates: candidates of one refresh.
        pairs: labelled pairs of the candidates' split.
        counts: values of n.
        visits: draws of each row.

    Returns:
        One line per sampler, `REFERENCES` included, and n, with columns ``sampler``;
        ``parameter``, here `n`, and its ``value``; ``n``; ``drawn``, over all visits; ``false_negatives``
        among these, and their ``share``; ``of_known``, the share of the known relevant candidates that a
        visit draws; ``kept``, information as a share of that of all candidates; ``of_best``, as a share of
        what n negatives can keep. The last four have intervals over queries, ``share_low``, ``share_high``
        and so on. A reference that is one of the samplers is left out.

    Raises:
        UserError: no sampler, a score that is not finite, or a row without candidates.
    """
    own = {(sampler.law, sampler.draw) for _, sampler in each_sampler(samplers)}
    beside = {name: of for name, of in REFERENCES.items() if (of.law, of.draw) not in own}
    curves = {**beside, **samplers}
    points = (
        (name, "n", n, replace(sampler, negatives=n)) for name, sampler in curves.items() for n in counts
    )
    return _trade_frame(points, candidates, pairs, visits)


def trade_over_parameter(
    sampler: Sampler,
    candidates: Candidates,
    pairs: TrainingPairs,
    *,
    parameter: str,
    values: Sequence[Any],
    visits: int = VISITS,
) -> pd.DataFrame:
    """Return information kept and false negatives drawn at a fixed n, over values of a law's parameter.

    Args:
        sampler: sampler whose law is varied; its other parameters stay.
        candidates: candidates of one refresh.
        pairs: labelled pairs of the candidates' split.
        parameter: name of the law's parameter.
        values: values of the parameter.
        visits: draws of each row.

    Returns:
        As `trade`, with the references over n.

    Raises:
        PieceError: the law has no such parameter, or does not allow a value.
    """
    law = settings_of(sampler.law)
    points = [
        (law["name"], parameter, value, replace(sampler, law=make_law({**law, parameter: value})))
        for value in values
    ]
    beside = [(name, "n", n, replace(of, negatives=n)) for name, of in REFERENCES.items() for n in COUNTS]
    return _trade_frame((*beside, *points), candidates, pairs, visits)


def pushes(candidates: Candidates) -> Floats:
    """Return g_j of the softmax loss over the positive and all valid candidates of a row, [R, K]."""
    gap = np.where(candidates.valid, candidates.gap(), -np.inf)
    largest = np.maximum(gap.max(axis=1, keepdims=True), 0.0)
    weight = np.exp(gap - largest)
    return np.asarray(weight / (weight.sum(axis=1, keepdims=True) + np.exp(-largest)))


def drawn_sums(known: Booleans, useful: Floats, columns: Integers) -> tuple[Floats, Floats]:
    """Return the number of known relevant drawn and the information kept, [R] each, over all visits.

    Args:
        known: [R, K] whether a candidate is known to be relevant.
        useful: [R, K] information of a candidate, 0 if known to be relevant.
        columns: [visits, R, n] drawn columns; repetitions within a visit count once.
    """
    known_drawn, information = np.zeros((2, len(known)))
    for column in columns:
        chosen = np.zeros(known.shape, bool)
        np.put_along_axis(chosen, column, True, axis=1)
        known_drawn += (chosen & known).sum(axis=1)
        information += np.where(chosen, useful, 0.0).sum(axis=1)
    return known_drawn, information


def _trade_frame(
    points: Iterable[tuple[str, str, Any, Sampler]], candidates: Candidates, pairs: TrainingPairs, visits: int
) -> pd.DataFrame:
    known = known_relevant(candidates, pairs)
    useful = np.where(known, 0.0, pushes(candidates))
    lines = []
    for name, parameter, value, sampler in points:
        columns = drawn_columns(sampler, candidates, visits=visits)
        hits = at_drawn(known, columns).sum(axis=1)
        estimates = _estimates(candidates, known, useful, columns)
        counts = (sampler.negatives, columns.size, int(hits.sum()))
        lines.append(
            (name, parameter, value, *counts, *(float(of) for estimate in estimates for of in estimate))
        )
    of = [
        f"{name}{end}" for name in ("share", "of_known", "kept", "of_best") for end in ("", "_low", "_high")
    ]
    names = ["sampler", "parameter", "value", "n", "drawn", "false_negatives", *of]
    return pd.DataFrame(lines, columns=names)


def _estimates(
    candidates: Candidates, known: Booleans, useful: Floats, columns: Integers
) -> tuple[Estimate, ...]:
    """Return share, of_known, kept and of_best of the draws."""
    query, (visits, rows, n) = candidates.query, columns.shape
    hits = at_drawn(known, columns).sum(axis=1)
    known_drawn, information = drawn_sums(known, useful, columns)
    best = -np.sort(-useful, axis=1)[:, :n].sum(axis=1)
    return (
        share(hits, np.full(rows, visits * n), query),
        share(known_drawn, visits * known.sum(axis=1), query),
        mean(information, visits * useful.sum(axis=1), query, of_shares=True),
        mean(information, visits * best, query, of_shares=True),
    )
