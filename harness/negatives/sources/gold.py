"""Positives of other training queries."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from harness.negatives.laws.law import STRICT
from harness.negatives.sources.source import DOCUMENTS, Proposal, View, draw_uniform

STAGE = 61


@dataclass(frozen=True, config=STRICT)
class Gold:
    """K labelled positives of other training queries, drawn uniformly, again for each pair and refresh."""

    name: ClassVar[str] = "gold"
    summary: ClassVar[str] = "K positives of other training queries, drawn uniformly"
    citation: ClassVar[str] = "DPR (Karpukhin et al. 2020), section 3.2, Gold"
    has: ClassVar[frozenset[str]] = DOCUMENTS

    def propose(self, view: View, k: int) -> Proposal:
        """Draw from the positives of all pairs."""
        return draw_uniform(view, np.unique(view.pairs[:, 1]), k, STAGE)
