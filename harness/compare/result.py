"""What a comparison of two sides found; its reports are made from this alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.collections.collection import Collection
from harness.compare.differences import Outcome
from harness.compare.sides import Side
from harness.evaluation.comparison import CellBlock

LEVEL = 0.95
"""Confidence of the intervals."""


@dataclass(frozen=True)
class MeasureLine:
    """Both sides on one measure, fractions.

    Attributes:
        label: what a table calls the measure.
        a: mean of A.
        b: mean of B.
        difference: ``value``, and intervals ``checkpoints`` and ``method``.
        outcome: by query.
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
        query: its id.
        text: its text.
        a: score of A, averaged over seeds, a fraction.
        b: score of B.
        ranks_a: of the first relevant document under A, one a seed; none where it is not retrieved.
        ranks_b: under B.
        before_a: documents before the first relevant one under A, those of most seeds first.
        before_b: under B.
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
class Compared:
    """Two sides, query by query.

    Attributes:
        a: one side.
        b: the other.
        scale: name of the scale.
        split: of the queries.
        collection: that both are measured on.
        seeds: seeds held against each other.
        by_seed: whether both sides are rows, paired by seed.
        measures: the one shown by query first.
        lines: seed by query, see `query_lines`.
        gains: queries of A's largest gains.
        losses: of its largest losses.
        joint: where relevant documents lie, see `joint_ranks`.
        depth: of the rankings.
        command: makes it again.
    """

    a: Side
    b: Side
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

    @property
    def folder(self) -> Path:
        """Return where its report lies below the root of the results."""
        a, b = self.a.address, self.b.address
        target, colon, row = b.partition(":")
        b = row if a.startswith(target + colon) else b
        names = (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in (a, b))
        return Path(self.scale) / "compare" / "-vs-".join(names)
