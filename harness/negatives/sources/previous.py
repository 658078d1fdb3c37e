"""The candidates of the previous round."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from harness.negatives.sources.source import DOCUMENTS, Proposal, View
from harness.pieces import Piece


class Previous(Piece):
    """All candidates of the previous round, scored again; round 0 has none, so it must be part of a union."""

    name: Literal["previous"] = "previous"
    summary: ClassVar[str] = "the candidates of the previous round, scored again"
    citation: ClassVar[str] = "ANCE-Tele (Sun et al. 2022), momentum negatives"
    has: ClassVar[frozenset[str]] = DOCUMENTS

    def propose(self, view: View, k: int) -> Proposal:
        """Return all candidates of the previous round."""
        rows = len(view.pairs)
        if view.previous is None:
            nothing = np.zeros((rows, 0), dtype=np.int64)
            return Proposal(nothing, nothing.astype(bool), np.zeros(rows, dtype=bool))
        before = view.previous
        return Proposal(before.document, before.valid, before.positive_retrieved)
