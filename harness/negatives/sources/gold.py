"""Positives of other training queries."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from harness.negatives.sources.source import DOCUMENTS, Proposal, View, draw_uniform
from harness.pieces import Piece

STAGE = 61


class Gold(Piece):
    """K labelled positives of other training queries, drawn uniformly, again for each pair and refresh."""

    name: Literal["gold"] = "gold"
    summary: ClassVar[str] = "K positives of other training queries, drawn uniformly"
    citation: ClassVar[str] = "DPR (Karpukhin et al. 2020), section 3.2, Gold"
    has: ClassVar[frozenset[str]] = DOCUMENTS

    def propose(self, view: View, k: int) -> Proposal:
        """Draw from the positives of all pairs."""
        return draw_uniform(view, np.unique(view.pairs[:, 1]), k, STAGE)
