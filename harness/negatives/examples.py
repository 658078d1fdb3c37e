"""Sampling distributions of single rows, as in SimANS's Figure 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from harness.negatives.candidates import Candidates, Integers
from harness.negatives.inclusion import closest_inclusion
from harness.negatives.sampler import Sampler


def example_distributions(
    sampler: Sampler, candidates: Candidates, *, rows: Sequence[int] | None = None, top: int = 50
) -> pd.DataFrame:
    """Return a sampler's distribution on single rows, as in SimANS's figure 5 (four rows of MS-Pas, top 50).

    Args:
        sampler: a sampler; a law with noise is averaged over 16 visits.
        candidates: candidates of one refresh.
        rows: numbers of rows; `spread_rows` by default.
        top: number of ranks.

    Returns:
        One line per row and rank, with columns ``query``, ``positive`` (numbers), ``rank``, ``gap``,
        s(q, d-) - s(q, d+), ``first``, the chance to be drawn first, and ``inclusion``, to be among the n,
        both over the whole row, so the top ranks need not sum to 1 and n.
    """
    chosen = candidates.rows(np.asarray(spread_rows(candidates) if rows is None else rows))
    order = np.argsort(chosen.rank(), axis=1)[:, :top]
    columns = {
        "gap": chosen.gap(),
        "first": closest_inclusion(replace(sampler, negatives=1), chosen).chance,
        "inclusion": closest_inclusion(sampler, chosen).chance,
    }
    top_values = {name: np.take_along_axis(values, order, axis=1).ravel() for name, values in columns.items()}
    count, shown = order.shape
    frame = pd.DataFrame(
        {
            "query": np.repeat(chosen.query, shown),
            "positive": np.repeat(chosen.positive, shown),
            "rank": np.tile(np.arange(1, shown + 1), count),
            **top_values,
        }
    )
    return frame[np.take_along_axis(chosen.valid, order, axis=1).ravel()].reset_index(drop=True)


def spread_rows(candidates: Candidates, count: int = 4) -> Integers:
    """Return the numbers of rows that differ in where their positive ranks.

    Rows are sorted by the gap of their best candidate, and taken at even distances: four at the 20th to 80th
    percentile. Laws of the gap then peak at different ranks.
    """
    best = np.where(candidates.valid, candidates.gap(), -np.inf).max(axis=1)
    order = np.argsort(best, kind="stable")
    at = np.arange(1, count + 1) / (count + 1)
    return np.asarray(order[np.round(at * (len(order) - 1)).astype(int)])
