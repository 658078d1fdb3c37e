"""Inclusion probabilities by rank, and over parameters of a law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from harness.evaluation.over_queries import mean
from harness.negatives.candidates import Candidates, Floats
from harness.negatives.inclusion import closest_inclusion
from harness.negatives.registry import make_law
from harness.negatives.sampler import Sampler
from harness.pieces import settings_of

GRIDS: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "score": {"temperature": (0.5, 1.0, 2.0, 4.0)},
    "debiased": {"reading": ("A", "B", "C", "D", "E", "F"), "tau": (0.0, 0.1, 0.5, 0.9)},
    "simans": {"a": (0.1, 0.25, 0.5, 1.0, 2.0), "b": (-2.0, -1.0, 0.0, 1.0, 2.0)},
    "doc-sim": {"a": (0.1, 0.25, 0.5, 1.0, 2.0)},
    "trisampler": {"a": (0.0, 0.1, 0.25, 1.0, 4.0), "transitional": (0.1, 0.25, 0.5, 1.0)},
    "region": {"width": (0.25, 0.5, 1.0, 2.0)},
}
"""Default grids of `inclusion_over_parameters`: our values around those of the papers."""


def inclusion_per_rank(
    samplers: Mapping[str, Sampler], candidates: Candidates, *, visits: int = 16
) -> pd.DataFrame:
    """Return inclusion probabilities by rank.

    Args:
        samplers: name -> sampler, all on the same candidates.
        candidates: candidates of one refresh.
        visits: visits of :func:`harness.negatives.inclusion.inclusion`.

    Returns:
        One line per sampler and rank, with columns ``sampler``; ``rank`` by s(q, d-), from 1; ``rows`` with
        a candidate there; ``mean`` inclusion probability over those, ``low`` and ``high``, its interval over
        queries; ``tenth`` and ``ninetieth``, percentiles over rows; ``how`` it was computed.
    """
    lines = [_lines(sampler, candidates, visits).assign(sampler=n) for n, sampler in samplers.items()]
    return _first(pd.concat(lines, ignore_index=True), "sampler")


def inclusion_over_parameters(
    sampler: Sampler,
    candidates: Candidates,
    *,
    grid: Mapping[str, Sequence[Any]] | None = None,
    visits: int = 16,
) -> pd.DataFrame:
    """Return inclusion probabilities by rank, varying one parameter of the law at a time.

    Args:
        sampler: sampler whose law is varied; its other parameters stay.
        candidates: candidates of one refresh.
        grid: parameter -> values; `GRIDS` by default.
        visits: visits of :func:`harness.negatives.inclusion.inclusion`.

    Returns:
        As `inclusion_per_rank`, with ``law``, ``parameter`` and ``value`` in place of ``sampler``.

    Raises:
        PieceError: the law has no such parameter, or does not allow a value.
    """
    law, lines = settings_of(sampler.law), []
    for parameter, values in (GRIDS.get(law["name"], {}) if grid is None else grid).items():
        for value in values:
            changed = replace(sampler, law=make_law({**law, parameter: value}))
            changed_lines = _lines(changed, candidates, visits)
            lines.append(changed_lines.assign(law=law["name"], parameter=parameter, value=value))
    return _first(pd.concat(lines, ignore_index=True), "law", "parameter", "value")


def _lines(sampler: Sampler, candidates: Candidates, visits: int) -> pd.DataFrame:
    included = closest_inclusion(sampler, candidates, visits=visits)
    order = np.argsort(candidates.rank(), axis=1)
    chance = np.take_along_axis(included.chance, order, axis=1)
    valid = np.take_along_axis(candidates.valid, order, axis=1)
    seen = np.flatnonzero(valid.any(axis=0))  # ranks follow each other without a gap
    value, low, high = mean((chance * valid)[:, seen], valid[:, seen], candidates.query, of_shares=True)
    tenth, ninetieth = _percentiles(chance[:, seen], valid[:, seen])
    return pd.DataFrame(
        {
            "rank": seen + 1,
            "rows": valid[:, seen].sum(axis=0),
            "mean": value,
            "low": low,
            "high": high,
            "tenth": tenth,
            "ninetieth": ninetieth,
            "how": included.how,
        }
    )


def _percentiles(chance: Floats, valid: Any) -> Floats:
    return np.asarray(np.nanquantile(np.where(valid, chance, np.nan), [0.1, 0.9], axis=0))


def _first(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    return frame[[*names, *(name for name in frame.columns if name not in names)]]
