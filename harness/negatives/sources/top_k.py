"""The documents nearest to the query."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.negatives.sources.source import DOCUMENTS, CountBasis, Proposal, View, depth, keep
from harness.pieces import Piece
from harness.retrieval.search import exact_search


class TopK(Piece):
    """The K documents of greatest s(q, d) by the current retriever."""

    name: Literal["top-k"] = "top-k"
    summary: ClassVar[str] = "the K documents nearest to the query by the current retriever"
    citation: ClassVar[str] = "ANCE (Xiong et al. 2021), section 4; SimANS, section 4.1"
    has: ClassVar[frozenset[str]] = DOCUMENTS

    count: CountBasis = Field(
        default="kept",
        description=(
            "K counts the documents that remain after positives are removed (default), or those "
            "`retrieved` before, as in the released code, where rows differ in length."
        ),
    )

    def propose(self, view: View, k: int) -> Proposal:
        """Search with the queries' embeddings."""
        ranked = exact_search(view.queries, view.documents, depth(view, k, self.count))[1]
        return keep(view, ranked, k, self.count)
