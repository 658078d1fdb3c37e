"""Weight over score gap: a law's weights on a synthetic row, and a sampler's chances to draw from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.negatives.candidates import Candidates, Floats
from harness.negatives.draws.draw import Draw
from harness.negatives.laws.law import Law
from harness.negatives.noise import Noise
from harness.negatives.sampler import Sampler

CANDIDATES = 200
PER_UNIT = 16
BEST = 4
"""Gap of the first candidate; those of the others decrease in steps of 1 / PER_UNIT."""

POSITIVE = 8.0
DRAWN = 15
COPIES = 500
"""Number of copies of the row, each with its own noise."""

SMALLEST = np.finfo(np.float64).min

GAP: Floats = BEST - np.arange(CANDIDATES) / PER_UNIT
"""[K] gaps s(q, d-) - s(q, d+) of the candidates."""


def assumptions(*, union: bool) -> str:
    """Return a line with the assumptions of the curves, including the parts of a union if it is used."""
    row = f"{CANDIDATES} candidates at gaps from {GAP[-1]:.1f} to +{BEST}, {PER_UNIT} per unit"
    parts = "; a union's first source has the nearer half" if union else ""
    return f"Assumed: {row}; s(q, d+) = s(d+, d-) = {POSITIVE:g}{parts}."


def weights(law: Law) -> Floats:
    """Return each candidate's chance to be drawn first, relative to the largest, [K].

    For a law without random stages this is its weight; for others it is the mean over noise. All are 0 if
    no candidate has a weight.
    """
    log_weight = law.weigh(_row(), _noise()).log_weight
    weight = np.exp(log_weight - np.maximum(log_weight.max(axis=1, keepdims=True), SMALLEST))
    chance = (weight / np.maximum(weight.sum(axis=1, keepdims=True), 1.0)).mean(axis=0)
    return np.asarray(chance / (chance.max() or 1.0))


def chances(law: Law, draw: Draw) -> Floats:
    """Return each candidate's chance to be drawn, [K]: the share of copies that draw it."""
    column = Sampler(law, draw, DRAWN)(_row(), _noise()).column
    drawn = np.zeros((COPIES, CANDIDATES))
    np.put_along_axis(drawn, column, 1.0, axis=1)
    return np.asarray(drawn.mean(axis=0))


def weights_at(law: Law, gaps: Sequence[int]) -> list[float]:
    """Return the weights of the candidates nearest to some gaps."""
    weight = weights(law)
    return [float(weight[np.abs(GAP - gap).argmin()]) for gap in gaps]


def chances_around(law: Law, draw: Draw, gaps: Sequence[int]) -> list[float]:
    """Return the mean chances of the candidates within half a unit of some gaps."""
    chance = chances(law, draw)
    return [float(chance[np.abs(GAP - gap) <= 0.5].mean()) for gap in gaps]


def _row() -> Candidates:
    """Return the copies of the row, with shuffled document numbers, independent of the gap."""
    shape = (COPIES, CANDIDATES)
    document = np.tile(np.arange(CANDIDATES), (COPIES, 1))
    length = np.full(COPIES, 4.0)  # cosines are a sixteenth of inner products
    return Candidates(
        query=np.arange(COPIES),
        positive=np.full(COPIES, CANDIDATES),
        document=np.random.default_rng(0).permuted(document, axis=1),
        score=np.tile(POSITIVE + GAP, (COPIES, 1)),
        positive_score=np.full(COPIES, POSITIVE),
        positive_retrieved=np.ones(COPIES, dtype=bool),
        positive_similarity=np.full(shape, POSITIVE),
        valid=np.ones(shape, dtype=bool),
        origin=np.tile(np.arange(CANDIDATES) * 2 // CANDIDATES, (COPIES, 1)),
        query_norm=length,
        positive_norm=length,
        document_norm=np.full(shape, 4.0),
        model="made up",
    )


def _noise() -> Noise:
    return Noise(seed=0, round=0, visit=np.zeros(COPIES, dtype=np.int64))
