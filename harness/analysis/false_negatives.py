"""Known false negatives: known relevant documents among the negatives that samplers draw.

Documents with a training label are masked and cannot be drawn. Counted are documents known to be relevant and
not labelled; false negatives that nobody has judged are not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from harness.analysis.draws import VISITS, at_drawn, drawn_columns, each_sampler
from harness.errors import UserError
from harness.evaluation.over_queries import share
from harness.negatives.candidates import Booleans, Candidates, Integers
from harness.negatives.sampler import Sampler
from harness.training.batches import TrainingPairs

By = Literal["all", "rank", "gap"]

EDGES: Mapping[str, tuple[float, ...]] = {
    "all": (-np.inf, np.inf),
    "rank": (1, 2, 3, 6, 11, 21, 51, 101, 201, 501, np.inf),
    "gap": (-np.inf, -16, -8, -4, -2, -1, 0, 1, 2, 4, np.inf),
}
"""Lower ends of bins; a bin ends before the next begins."""


def false_negatives(
    samplers: Mapping[str, Sampler],
    candidates: Candidates,
    pairs: TrainingPairs,
    *,
    by: By = "all",
    visits: int = VISITS,
) -> pd.DataFrame:
    """Count the known relevant documents that samplers draw.

    Args:
        samplers: name -> sampler.
        candidates: candidates of one refresh, mined with the mask `labelled` or less.
        pairs: labelled pairs of the candidates' split, with their known relevant documents.
        by: ``all`` together, by ``rank`` of s(q, d-) from 1, or by the ``gap`` s(q, d-) - s(q, d+).
        visits: draws of each row.

    Returns:
        One line per sampler and bin with candidates, with columns ``sampler``; ``by``; ``bin``, with
        its ends ``begin`` and ``end`` (not part of it); ``drawn``, the number drawn over all visits;
        ``false_negatives``, the known relevant among these; ``share``, their quotient, with
        ``low`` and ``high``, its interval over queries; ``candidates`` in the bin, ``known`` relevant ones
        among them; ``of_known``, the share of those that a visit draws.

    Raises:
        UserError: no sampler, a score that is not finite, or a row without candidates.
    """
    known = known_relevant(candidates, pairs)
    place = _bins(candidates, by)
    lines = []
    for name, sampler in each_sampler(samplers):
        columns = drawn_columns(sampler, candidates, visits=visits)
        drawn_place, drawn_known = at_drawn(place, columns), at_drawn(known, columns)
        for number, (begin, end) in enumerate(pairwise(EDGES[by])):
            here, drawn = place == number, drawn_place == number
            if not here.any():
                continue
            hits = drawn & drawn_known
            estimate = share(hits.sum(axis=1), drawn.sum(axis=1), candidates.query)
            there, relevant = int(here.sum()), int((here & known).sum())
            of_known = hits.sum() / visits / relevant if relevant else np.nan
            counts = (int(drawn.sum()), int(hits.sum()), *map(float, estimate), there, relevant, of_known)
            lines.append((name, by, _label(by, begin, end), begin, end, *counts))
    names = "sampler by bin begin end drawn false_negatives share low high candidates known of_known"
    return pd.DataFrame(lines, columns=names.split())


def known_relevant(candidates: Candidates, pairs: TrainingPairs) -> Booleans:
    """Return which valid candidates are known to be relevant to their row's query, [R, K].

    Raises:
        UserError: candidates and pairs are of different queries.
    """
    number = {int(query): row for row, query in enumerate(pairs.pairs[:, 0])}
    for query in candidates.query:
        if int(query) not in number:
            raise UserError(
                f"nothing is known of query {int(query)}",
                where="false negatives",
                fix="give the pairs of the split that the candidates were mined for",
            )
    rows = (pairs.known_relevant[number[int(query)]] for query in candidates.query)
    known = np.stack([np.isin(of, relevant) for of, relevant in zip(candidates.document, rows, strict=True)])
    return known & candidates.valid


def _bins(candidates: Candidates, by: By) -> Integers:
    """Return the index of each candidate's bin, [R, K]; -1 if it is not valid."""
    value = candidates.rank() + 1.0 if by == "rank" else candidates.gap()
    bins = np.searchsorted(np.array(EDGES[by]), value, side="right") - 1
    return np.where(candidates.valid, bins, -1)


def _label(by: By, begin: float, end: float) -> str:
    if by == "all":
        return "all"
    if by == "rank":
        last = end - 1
        return f"{begin:g}" if last == begin else f"{begin:g}+" if np.isinf(last) else f"{begin:g}-{last:g}"
    if np.isinf(begin):
        return f"< {end:g}"
    return f">= {begin:g}" if np.isinf(end) else f"{begin:g} to {end:g}"
