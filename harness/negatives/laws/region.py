"""The regions of TriSampler's Figure 1."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.negatives.candidates import Candidates, Floats, Weights
from harness.negatives.laws.law import DOCUMENTS, NOTHING, only_valid, uniform_fill
from harness.negatives.noise import Noise
from harness.pieces import Piece


class Region(Piece):
    """Equal weights inside a region around query and positive; the paper draws them, without formulas.

    ``spherical``: |s- - s+| <= width, a shell around the query on which the positive lies.
    ``concentric``: s+- >= s+, the ball around the positive on whose surface the query lies.
    ``triangular``: |s- - s+| <= width and s+- > s-, the support of equation 6 near the shell.

    ``width`` is in units of the row's standard deviation of scores, so that it means the same for every
    retriever. A row with too few candidates inside is filled by those nearest to the region.
    """

    name: Literal["region"] = "region"
    summary: ClassVar[str] = "equal weights inside a region around query and positive"
    citation: ClassVar[str] = "TriSampler, Figure 1; the formulas are our reading"
    formula: ClassVar[str] = (
        "1 where |s- - s+| <= width sd (spherical), s+- >= s+ (concentric), "
        "or |s- - s+| <= width sd and s+- > s- (triangular)"
    )
    shift_free: ClassVar[bool] = True

    shape: Literal["spherical", "concentric", "triangular"] = "spherical"
    width: float = Field(default=1.0, ge=1e-6, le=1e6)

    @property
    def needs(self) -> frozenset[str]:
        """Embeddings of documents for s(d+, d-), except for the shell."""
        return NOTHING if self.shape == "spherical" else DOCUMENTS

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return log-weights of 0 inside the region, with fills by distance from it."""
        outside = self._outside(candidates)
        inside = np.where(outside <= 0, 0.0, -np.inf)
        near = -100.0 * np.minimum(outside, 1e6)
        return Weights(
            only_valid(candidates, inside), (only_valid(candidates, near), uniform_fill(candidates))
        )

    def _outside(self, candidates: Candidates) -> Floats:
        """Return the distance of each candidate from the region, in standard deviations; at most 0 inside."""
        shell = np.abs(candidates.gap("standardised")) - self.width
        if self.shape == "spherical":
            return shell
        unit = candidates.spread()
        similarity = candidates.positive_similarity.astype(np.float64)
        if self.shape == "concentric":
            return np.asarray((candidates.positive_score[:, None] - similarity) / unit)
        triangle = (candidates.score - similarity) / unit
        return np.maximum(shell, np.where(triangle < 0, triangle, np.maximum(triangle, 1e-9)))
