"""The result of a comparison; reports are rendered from this alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.collections.collection import Collection
from harness.compare.differences import Outcome
from harness.compare.sides import ComparedSide
from harness.evaluation.comparison import CellBlock

LEVEL = 0.95
"""Confidence of the intervals."""


@dataclass(frozen=True)
class MeasureLine:
    """Both sides on one measure, fractions.

    Attributes:
        label: label of the measure in tables.
        a: mean score of A.
        b: mean score of B.
        difference: ``value`` (A minus B), intervals ``checkpoints`` and ``method``.
        outcome: queries won and lost.
    """

    label: str
    a: float
    b: float
    difference: CellBlock
    outcome: Outcome


@dataclass(frozen=True)
class QueryLine:
    """A query that one side answers much better.

    Attributes:
        query: id of the query.
        text: text of the query.
        a: score of A, a fraction, averaged over seeds.
        b: score of B, a fraction, averaged over seeds.
        ranks_a: rank of the first relevant document under A for each seed; none if not retrieved.
        ranks_b: the same ranks under B.
        before_a: ids of documents ranked before the first relevant one under A, those of most seeds first.
        before_b: ids of such documents under B.
    """

    query: str
    text: str
    a: float
    b: float
    ranks_a: list[int | None]
    ranks_b: list[int | None]
    before_a: list[str]
    before_b: list[str]


@dataclass(frozen=True)
class CompareResult:
    """Two sides, query by query.

    Attributes:
        a: side A.
        b: side B.
        scale: name of the scale.
        split: split of the queries.
        collection: collection on which both are measured.
        seeds: number of each paired seed.
        by_seed: whether both sides are rows, paired by seed.
        measures: all common measures, the one compared query by query first.
        lines: frame of `query_lines`.
        gains: queries with A's largest gains.
        losses: queries with A's largest losses.
        joint: frame of `joint_ranks`.
        depth: number of documents in a ranking.
        command: the command that repeats the comparison.
        clusters: query -> its cluster; none where each query is one by itself.
    """

    a: ComparedSide
    b: ComparedSide
    scale: str
    split: str
    collection: Collection
    seeds: list[int]
    by_seed: bool
    measures: list[MeasureLine]
    lines: pd.DataFrame
    gains: list[QueryLine]
    losses: list[QueryLine]
    joint: pd.DataFrame
    depth: int
    command: str
    clusters: Mapping[str, str] | None = None

    @property
    def folder(self) -> Path:
        """Return the folder of its report, relative to the root of the results."""
        a, b = self.a.address, self.b.address
        target, colon, row = b.partition(":")
        b = row if a.startswith(target + colon) else b
        names = (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in (a, b))
        return Path(self.scale) / "compare" / "-vs-".join(names)
