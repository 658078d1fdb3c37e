"""TriSampler: transitional negatives near the positive's score, then those nearer to it than the query is."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.negatives.candidates import Booleans, Candidates, Floats, Weights
from harness.negatives.draws.draw import gumbel, has_weight, largest
from harness.negatives.draws.with_replacement import independent
from harness.negatives.laws.law import DOCUMENTS, Gap, log_of, only_valid
from harness.negatives.noise import Noise
from harness.pieces import Piece

TRANSITIONAL_STAGE = 1


class TriSampler(Piece):
    """Equation 5 draws transitional negatives from the candidates; equation 6 weighs them.

    stage 1: exp(-a (s(q, d-) - s(q, d+))^2), a = 1/4; stage 2: ReLU(s(d+, d-) - s(q, d-)).

    The paper leaves open:
    """

    name: Literal["trisampler"] = "trisampler"
    summary: ClassVar[str] = "near the positive's score, and nearer to the positive than the query is"
    citation: ClassVar[str] = "TriSampler, equations 5 and 6, Algorithm 1"
    formula: ClassVar[str] = "ReLU(s+- - s-), among candidates drawn by exp(-a (s- - s+)^2)"
    needs: ClassVar[frozenset[str]] = DOCUMENTS

    a: float = Field(default=0.25, ge=0, le=1e6)
    transitional: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="how many are transitional, a share of the K candidates; at 1 equation 5 only fills.",
    )
    first_draw: Literal["without-replacement", "with-replacement"] = Field(
        default="without-replacement", description="whether stage 1 draws with replacement."
    )
    fill: Literal["first-law", "uniform"] = Field(
        default="first-law",
        description=(
            "what fills a row with too few positive ReLU weights, equation 5 or equal weights, over "
            "the transitional first."
        ),
    )
    gap: Gap = Field(default="raw", description="the scale of the scores.")
    sides: Literal["as-gap", "raw", "cosine"] = Field(
        default="as-gap",
        description=(
            "what equation 6 compares: inner products, or cosines where the gap is of cosines (`as-gap`); "
            "one of the two whatever the gap."
        ),
    )
    angle: Literal["off", "eq4", "apex"] = Field(
        default="off",
        description=(
            "how an angle of at most `degrees` enters: `off` as in Algorithm 1, `eq4` as printed, or "
            "`apex`, the angle at q between d+ - q and d- - q."
        ),
    )
    degrees: float = Field(default=60.0, gt=0, le=180)

    @property
    def shift_free(self) -> bool:
        """Cosines and angles depend on the origin of the scores."""
        return "cosine" not in (self.gap, self.sides) and self.angle == "off"

    def weigh(self, candidates: Candidates, noise: Noise) -> Weights:
        """Return equation 6's log-weights on the transitional negatives.

        A row is filled from the transitional negatives first, then from the other candidates, and finally
        from those outside the angle.
        """
        anywhere = only_valid(candidates, -self.a * np.square(candidates.gap(self.gap)))
        first = np.where(self._inside_angle(candidates), anywhere, -np.inf)
        transitional = self._transitional(candidates, first, noise)
        second = log_of(self._triangle(candidates))
        fill = first if self.fill == "first-law" else np.where(np.isfinite(first), 0.0, -np.inf)
        return Weights(
            np.where(transitional, second, -np.inf),
            (
                np.where(transitional, only_valid(candidates, fill), -np.inf),
                only_valid(candidates, fill),
                anywhere,
            ),
        )

    def _triangle(self, candidates: Candidates) -> Floats:
        """Return s(d+, d-) - s(q, d-), [R, K]."""
        if self.sides == "cosine" or (self.sides == "as-gap" and self.gap == "cosine"):
            return candidates.document_cosine() - candidates.query_cosine()
        return candidates.positive_similarity.astype(np.float64) - candidates.score

    def _transitional(self, candidates: Candidates, first: Floats, noise: Noise) -> Booleans:
        count = max(1, round(self.transitional * first.shape[1]))
        chosen = np.zeros(first.shape, dtype=bool)
        if self.first_draw == "without-replacement":
            keys = first + gumbel(noise.of(candidates, TRANSITIONAL_STAGE))
            np.put_along_axis(chosen, largest(keys, count), True, axis=1)
            return chosen & np.isfinite(first)
        some = np.flatnonzero(has_weight(first))
        uniform = noise.of_row(candidates, TRANSITIONAL_STAGE, count)[some]
        drawn = independent(candidates.rows(some), first[some], uniform)
        chosen[some[:, None], drawn] = True
        return chosen

    def _inside_angle(self, candidates: Candidates) -> Booleans:
        limit = np.deg2rad(self.degrees)
        if self.angle == "eq4":
            return np.asarray(np.less_equal(difference_of_angles(candidates), limit))
        if self.angle == "apex":
            return np.asarray(np.less_equal(apex_angle(candidates), limit))
        return np.ones(candidates.score.shape, dtype=bool)


def difference_of_angles(candidates: Candidates) -> Floats:
    """Return equation 4 as printed, |angle(q, d+) - angle(q, d-)| in radians, [R, K]."""
    to_positive = np.arccos(candidates.positive_cosine())[:, None]
    return np.asarray(np.abs(to_positive - np.arccos(candidates.query_cosine())))


def apex_angle(candidates: Candidates) -> Floats:
    """Return the angle at q between d+ - q and d- - q in radians, [R, K], from inner products only."""
    q = np.square(candidates.query_norm.astype(np.float64))[:, None]
    positive = np.square(candidates.positive_norm.astype(np.float64))[:, None]
    negative = np.square(candidates.document_norm.astype(np.float64))
    to_positive = candidates.positive_score.astype(np.float64)[:, None]
    to_negative = candidates.score.astype(np.float64)
    product = candidates.positive_similarity - to_positive - to_negative + q
    sides = np.sqrt(np.maximum(positive - 2 * to_positive + q, 1e-24))
    sides = sides * np.sqrt(np.maximum(negative - 2 * to_negative + q, 1e-24))
    return np.arccos(np.clip(product / sides, -1.0, 1.0))
