"""The documents nearest to the positive."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.negatives.sources.source import DOCUMENTS, CountBasis, Proposal, View, depth, keep
from harness.pieces import Piece
from harness.retrieval.search import exact_search


class TopKByPositive(Piece):
    """The K documents of greatest s(d+, d), both embedded by the document tower."""

    name: Literal["top-k-by-positive"] = "top-k-by-positive"
    summary: ClassVar[str] = "the K documents nearest to the positive by the current retriever"
    citation: ClassVar[str] = "TriSampler, Table 4; ANCE-Tele (Sun et al. 2022), lookahead negatives"
    has: ClassVar[frozenset[str]] = DOCUMENTS

    count: CountBasis = Field(default="kept", description="as for top-k.")

    def propose(self, view: View, k: int) -> Proposal:
        """Search with the positives' embeddings, each positive once."""
        positives, place = np.unique(view.pairs[:, 1], return_inverse=True)
        ranked = exact_search(view.documents[positives], view.documents, depth(view, k, self.count))[1]
        return keep(view, ranked[place], k, self.count)
