"""Random documents of the corpus."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from harness.negatives.laws.law import STRICT
from harness.negatives.sources.source import DOCUMENTS, Proposal, View, draw_uniform

STAGE = 60


@dataclass(frozen=True, config=STRICT)
class Corpus:
    """K documents drawn uniformly from the whole corpus, again for each pair and refresh.

    A visit's negatives are uniform over the corpus; visits between two refreshes share the K.
    """

    name: ClassVar[str] = "corpus"
    summary: ClassVar[str] = "K documents drawn uniformly from the whole corpus"
    citation: ClassVar[str] = "DPR (Karpukhin et al. 2020), section 3.2, Random"
    has: ClassVar[frozenset[str]] = DOCUMENTS

    def propose(self, view: View, k: int) -> Proposal:
        """Draw from all documents."""
        return draw_uniform(view, np.arange(len(view.documents)), k, STAGE)
