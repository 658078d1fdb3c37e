"""Analyses of the rows of a table, from finished runs of one seed to frames by name.

Keywords of the functions are the options of `harness analyse --with`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.analysis.false_negatives import false_negatives
from harness.analysis.geometry import geometry, points
from harness.analysis.inclusion_by_rank import GRIDS, inclusion_over_parameters, inclusion_per_rank
from harness.analysis.options import Ranks, Some, SomeOrNone, Visits
from harness.analysis.overlap import INDEPENDENT, overlap
from harness.analysis.rounds import DIAGNOSTICS, rounds
from harness.analysis.trade import trade
from harness.api.run import OpenedRun
from harness.errors import UserError
from harness.gradients.coefficients import PAPER
from harness.gradients.findings import LEAST, findings
from harness.gradients.per_rank import frame_of, measure
from harness.negatives.candidates import Candidates
from harness.negatives.sampler import Sampler
from harness.training.batches import labelled_pairs

Frames = dict[str, pd.DataFrame]
"""Name -> frame."""

SHOWN_RANKS = (1, 2, 5, 10, 20, 50, 100, 200)
"""Ranks in summary tables; the frames have all."""


def gradients_of(
    runs: Sequence[OpenedRun],
    *,
    split: str = "dev",
    ranks: Ranks = 200,
    queries: SomeOrNone = 0,
    wrt: str = "both",
    loss: str = PAPER,
    contrast: str = "sampled",
) -> Frames:
    """Return mean and variance of the gradients of negatives by rank, and which findings hold.

    Args:
        runs: runs with an encoder.
        split: split of the queries.
        ranks: number of ranks, from the first.
        queries: maximum of queries drawn from the split; at quick scale each takes a second per row.
        wrt: variable of the gradient, see :class:`~harness.gradients.per_rank.GradientSettings`.
        loss: loss of a negative, see there.
        contrast: scores in the softmax, see there.
    """
    settings = {"split": split, "ranks": ranks, "wrt": wrt, "loss": loss, "contrast": contrast}
    gradients = []
    for run in runs:
        there = len(np.unique(run.retriever.pairs(split).pairs[:, 0]))
        gradients.append(measure(run.retriever, queries=min(queries, there) or None, **settings))
    frames = {"gradients": pd.concat(map(frame_of, gradients), ignore_index=True)}
    if ranks >= LEAST:
        frames["findings"] = pd.concat(map(findings, gradients), ignore_index=True)
    return frames


def rounds_of(runs: Sequence[OpenedRun]) -> Frames:
    """Return the diagnostics of each refresh."""
    return {"rounds": rounds({run.name: run.metrics for run in runs})}


def geometry_of(runs: Sequence[OpenedRun], *, visits: Visits = 4, shown: Some = 60) -> Frames:
    """Return where samplers draw: statistics of all training pairs, and the points of some.

    Args:
        runs: runs of rows that draw negatives.
        visits: draws of each pair.
        shown: number of pairs whose points are returned.
    """
    samplers, candidates = _drawing(runs)
    return {
        "geometry": geometry(samplers, [candidates], visits=visits),
        "points": points(samplers, [_spread(candidates, shown)]),
    }


def false_negatives_of(runs: Sequence[OpenedRun], *, visits: Visits = 4) -> Frames:
    """Return the known relevant documents that samplers draw, and the information kept at their cost.

    Args:
        runs: runs of rows that draw negatives.
        visits: draws of each pair.
    """
    samplers, candidates = _drawing(runs)
    pairs = labelled_pairs(runs[0].collection)
    counted = [
        false_negatives(samplers, candidates, pairs, by=by, visits=visits) for by in ("all", "rank", "gap")
    ]
    return {
        "false-negatives": pd.concat(counted, ignore_index=True),
        "trade": trade(samplers, candidates, pairs, visits=visits),
    }


def inclusion_of(
    runs: Sequence[OpenedRun], *, pairs: Some = 300, visits: Visits = 16, over_parameters: SomeOrNone = 50
) -> Frames:
    """Return inclusion probabilities by rank, also over the parameters of laws with a grid.

    Args:
        runs: runs of rows that draw negatives.
        pairs: number of training pairs, spread over all; 300 take minutes at quick scale.
        visits: visits over which a law's first stage is averaged.
        over_parameters: number of pairs for the variation of parameters; 0 leaves it out.
    """
    samplers, candidates = _drawing(runs)
    frames = {"inclusion": inclusion_per_rank(samplers, _spread(candidates, pairs), visits=visits)}
    laws = {sampler.law.name: sampler for sampler in samplers.values() if sampler.law.name in GRIDS}
    if laws and over_parameters:
        some = _spread(candidates, over_parameters)
        over = [inclusion_over_parameters(sampler, some, visits=visits) for sampler in laws.values()]
        frames["inclusion-over-parameters"] = pd.concat(over, ignore_index=True)
    return frames


def overlap_of(runs: Sequence[OpenedRun], *, visits: Visits = 4) -> Frames:
    """Return the overlap of samplers.

    Args:
        runs: runs of rows that draw negatives.
        visits: draws of each pair.
    """
    return {"overlap": overlap(*_drawing(runs), visits=visits)}


def some_norms(frames: Frames) -> pd.DataFrame:
    """Return the mean norm of each row's gradients at some ranks, a column each."""
    frame = frames["gradients"]
    return _at_some_ranks(frame[frame["statistic"] == "mean of norms"], "retriever", "value")


def findings_table(frames: Frames) -> dict[str, pd.DataFrame]:
    """Return which of SimANS's findings hold, a column for each row; empty if there are too few ranks."""
    if "findings" not in frames:
        return {}
    wide = frames["findings"].pivot(index=["finding", "reading"], columns="retriever", values="answer")
    wide = wide[frames["findings"]["retriever"].unique()].rename_axis(columns=None).reset_index()
    return {"SimANS's findings, by the reading of mean and variance": wide}


def last_round(frames: Frames) -> pd.DataFrame:
    """Return the diagnostics of each row's last refresh, a column each."""
    frame = frames["rounds"]
    last = frame[frame["round"] == frame.groupby("row")["round"].transform("max")]
    return _wide(last, "row", "diagnostic")[["row", *DIAGNOSTICS]]


def regions_drawn(frames: Frames) -> pd.DataFrame:
    """Return the share of each sampler's draws in each region, and its effective number of candidates."""
    frame = frames["geometry"]
    named = frame["reading"].where(frame["quantity"] == "inside", frame["quantity"])
    selected = frame["quantity"].isin(["inside", "zero weight", "effective candidates"])
    return _wide(frame.assign(named=named)[selected], "sampler", "named")


def false_negatives_drawn(frames: Frames) -> pd.DataFrame:
    """Return each sampler's false negatives with their denominators."""
    frame = frames["false-negatives"]
    columns = ["sampler", "drawn", "false_negatives", "share", "low", "high", "known", "of_known"]
    return frame[frame["by"] == "all"][columns].reset_index(drop=True)


def some_ranks(frames: Frames) -> pd.DataFrame:
    """Return each sampler's inclusion probability at some ranks, a column each."""
    return _at_some_ranks(frames["inclusion"], "sampler", "mean")


def draws_in_common(frames: Frames) -> pd.DataFrame:
    """Return the overlap of each sampler with the others at another visit, a column each."""
    frame = frames["overlap"]
    return _wide(frame[frame["noise"] == INDEPENDENT], "sampler", "other")


def _drawing(runs: Sequence[OpenedRun]) -> tuple[dict[str, Sampler], Candidates]:
    """Return the samplers of rows and their common candidates of round 0.

    Raises:
        UserError: the rows draw from different candidates.
    """
    first = runs[0]
    for run in runs:
        if run.mined != first.mined:
            what = f"{first.name} and {run.name} draw from different candidates"
            raise UserError(what, fix="name rows of one base run, source, mask and K by --row")
    return {run.name: run.sampler for run in runs}, first.candidates


def _spread(candidates: Candidates, count: int) -> Candidates:
    """Return the candidates of some training pairs, spread over all."""
    last = len(candidates.query) - 1
    return candidates.rows(np.unique(np.linspace(0, last, min(count, last + 1), dtype=np.int64)))


def _at_some_ranks(frame: pd.DataFrame, line: str, value: str) -> pd.DataFrame:
    some = frame[frame["rank"].isin(SHOWN_RANKS)]
    return _wide(some.assign(rank="rank " + some["rank"].astype(str)), line, "rank", value)


def _wide(frame: pd.DataFrame, line: str, column: str, value: str = "value") -> pd.DataFrame:
    """Return a tidy frame pivoted, lines and columns in the order of their first appearance."""
    wide = frame.pivot_table(index=line, columns=column, values=value, sort=False, observed=True)
    return wide.rename_axis(columns=None).reset_index()
