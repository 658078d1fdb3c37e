"""Random documents of the corpus."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from harness.negatives.sources.source import DOCUMENTS, Proposal, View, draw_uniform
from harness.pieces import Piece

STAGE = 60


class Corpus(Piece):
    """K documents drawn uniformly from the whole corpus, again for each pair and refresh.

    A visit's negatives are uniform over the corpus; visits between two refreshes share the K.
    """

    name: Literal["corpus"] = "corpus"
    summary: ClassVar[str] = "K documents drawn uniformly from the whole corpus"
    citation: ClassVar[str] = "DPR (Karpukhin et al. 2020), section 3.2, Random"
    has: ClassVar[frozenset[str]] = DOCUMENTS

    def propose(self, view: View, k: int) -> Proposal:
        """Draw from all documents."""
        return draw_uniform(view, np.arange(len(view.documents)), k, STAGE)
