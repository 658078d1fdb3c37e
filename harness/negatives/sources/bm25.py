"""The best documents by BM25."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from harness.negatives.sources.source import DOCUMENTS, CountBasis, Proposal, View, depth, keep
from harness.pieces import Piece


class BM25(Piece):
    """The K best documents by BM25; they do not change from refresh to refresh, their scores do.

    Documents that share no word with the query are not proposed. ``count``: as for top-k.
    """

    name: Literal["bm25"] = "bm25"
    summary: ClassVar[str] = "the K best documents by BM25, untuned"
    citation: ClassVar[str] = "DPR (Karpukhin et al. 2020), section 3.2; BM25 by bm25s, k1 = 1.5, b = 0.75"
    has: ClassVar[frozenset[str]] = DOCUMENTS

    count: CountBasis = "kept"

    def propose(self, view: View, k: int) -> Proposal:
        """Search by BM25."""
        score, number = view.lexical(depth(view, k, self.count))
        return keep(view, np.where(score > 0, number, -1), k, self.count)
