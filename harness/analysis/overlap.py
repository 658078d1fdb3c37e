"""Overlap of draws: of two samplers on the same candidates, between visits, between rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from harness.analysis.draws import VISITS, drawn_columns, each_sampler
from harness.errors import UserError
from harness.evaluation.over_queries import Estimate, share
from harness.negatives.candidates import Booleans, Candidates, Integers
from harness.negatives.draws.draw import at_columns
from harness.negatives.sampler import Sampler

INDEPENDENT, COMMON = "independent", "common"
"""Noise of two draws: that of different visits, or common random numbers, as all rows of a table have."""

CANDIDATES = "all candidates"


def overlap(samplers: Mapping[str, Sampler], candidates: Candidates, *, visits: int = VISITS) -> pd.DataFrame:
    """Return the share of one sampler's draws that another one draws as well, on the same candidates.

    Args:
        samplers: name -> sampler.
        candidates: candidates of one refresh.
        visits: draws of each row.

    Returns:
        One line per ordered pair of samplers and kind of noise, with columns ``sampler``, ``other``,
        ``noise`` (`independent`: another visit, so a sampler with itself shows the change between visits;
        `common`: the same random numbers), ``value``, the share of the draws of ``sampler`` that are among
        those of ``other``, with ``low`` and ``high``, its interval over queries; ``chance``, that share if
        ``other`` drew uniformly.

    Raises:
        UserError: no sampler, a score that is not finite, or a row without candidates.
    """
    drawn = {
        name: drawn_columns(sampler, candidates, visits=visits + 1)
        for name, sampler in each_sampler(samplers)
    }
    lines = []
    for name, own in drawn.items():
        for other, theirs in drawn.items():
            chance = np.minimum(samplers[other].negatives / candidates.valid.sum(axis=1), 1.0).mean()
            for noise, later in ((INDEPENDENT, theirs[1:]), (COMMON, theirs[:-1])):
                shared = _share_in(own[:-1], later, candidates.query)
                lines.append((name, other, noise, *map(float, shared), float(chance)))
    return pd.DataFrame(lines, columns=["sampler", "other", "noise", "value", "low", "high", "chance"])


def overlap_between_rounds(
    samplers: Mapping[str, Sampler], rounds: Sequence[Candidates], *, visits: int = VISITS
) -> pd.DataFrame:
    """Return the share of a sampler's draws in a round that it draws again in the next one.

    Args:
        samplers: name -> sampler.
        rounds: candidates of two or more refreshes, in order, for the same pairs.
        visits: draws of each row.

    Returns:
        One line per sampler, and one for all candidates, and pair of consecutive rounds, with columns
        ``sampler``; ``round`` and ``next``, their numbers from 0; ``noise`` as in `overlap`;
        ``value`` with ``low`` and ``high``, its interval over queries.

    Raises:
        UserError: rounds of different pairs, fewer than two of them, or no sampler.
    """
    _refuse_others(rounds)
    lines = []
    for number, (before, after) in enumerate(pairwise(rounds)):
        both = _share_in(before.document[None], after.document[None], before.query, before.valid)
        lines.append((CANDIDATES, number, number + 1, "", *map(float, both)))
        for name, sampler in each_sampler(samplers):
            own, theirs = (
                np.stack([at_columns(of.document, c) for c in drawn_columns(sampler, of, visits=visits + 1)])
                for of in (before, after)
            )
            for noise, later in ((INDEPENDENT, theirs[1:]), (COMMON, theirs[:-1])):
                shared = _share_in(own[:-1], later, before.query)
                lines.append((name, number, number + 1, noise, *map(float, shared)))
    return pd.DataFrame(lines, columns=["sampler", "round", "next", "noise", "value", "low", "high"])


def _share_in(own: Integers, theirs: Integers, query: Integers, used: Booleans | None = None) -> Estimate:
    """Return the share of `own` [visits, R, n] that is among `theirs` [visits, R, m]."""
    total, count = np.zeros((2, len(query)))
    for mine, others in zip(own, theirs, strict=True):
        there = np.stack([np.isin(row, among) for row, among in zip(mine, others, strict=True)])
        total += (there if used is None else there & used).sum(axis=1)
        count += mine.shape[1] if used is None else used.sum(axis=1)
    return share(total, count, query)


def _refuse_others(rounds: Sequence[Candidates]) -> None:
    if len(rounds) < 2:
        raise UserError("overlap between rounds needs two of them", fix="give candidates of two refreshes")
    for before, after in pairwise(rounds):
        same = np.array_equal(before.query, after.query) and np.array_equal(before.positive, after.positive)
        if not same:
            raise UserError("two rounds have different pairs", where="overlap", fix="mine the same queries")
