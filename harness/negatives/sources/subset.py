"""A random subset of another source's candidates."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.negatives.draws.draw import largest
from harness.negatives.noise import uniform
from harness.negatives.sources.source import Inner, Proposal, View
from harness.pieces import Piece

STAGE = 62


class Subset(Piece):
    """``keep`` candidates of another source, drawn uniformly without replacement at each refresh."""

    name: Literal["subset"] = "subset"
    summary: ClassVar[str] = "a few candidates of another source, drawn uniformly"
    citation: ClassVar[str] = "ANCE-Tele code, preprocess/build_train_hn.py:11-35: 30 of the 200 nearest"

    of: Inner
    keep: int = Field(default=30, gt=0, le=100_000)

    @property
    def has(self) -> frozenset[str]:
        """The properties of the other source."""
        return self.of.has

    def propose(self, view: View, k: int) -> Proposal:
        """Draw from the other source's candidates."""
        whole = self.of.propose(view, k)
        query, positive = view.pairs[:, :1], view.pairs[:, 1:]
        noise = uniform(view.seed, view.round, STAGE, query, positive, whole.document)
        column = largest(np.where(whole.valid, noise, -np.inf), self.keep)

        def of_columns(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else np.take_along_axis(values, column, axis=1)

        return Proposal(
            document=np.take_along_axis(whole.document, column, axis=1),
            valid=np.take_along_axis(whole.valid, column, axis=1),
            retrieved=whole.retrieved,
            score=of_columns(whole.score),
            positive_score=whole.positive_score,
            origin=of_columns(whole.origin),
        )
