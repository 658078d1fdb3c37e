"""The best documents by BM25."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from harness.negatives.laws.law import STRICT
from harness.negatives.sources.source import DOCUMENTS, CountBasis, Proposal, View, depth, keep


@dataclass(frozen=True, config=STRICT)
class BM25:
    """The K best documents by BM25; they do not change from refresh to refresh, their scores do.

    Documents that share no word with the query are not proposed. ``count``: as for top-k.
    """

    name: ClassVar[str] = "bm25"
    summary: ClassVar[str] = "the K best documents by BM25, untuned"
    citation: ClassVar[str] = "DPR (Karpukhin et al. 2020), section 3.2; BM25 by bm25s, k1 = 1.5, b = 0.75"
    has: ClassVar[frozenset[str]] = DOCUMENTS

    count: CountBasis = "kept"

    def propose(self, view: View, k: int) -> Proposal:
        """Search by BM25."""
        score, number = view.lexical(depth(view, k, self.count))
        return keep(view, np.where(score > 0, number, -1), k, self.count)
