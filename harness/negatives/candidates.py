"""Candidates for hard negatives, and what a sampler draws from them.

Letters of shapes: R rows, one a (query, positive) pair; K candidates a row; n negatives a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.errors import UserError

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Candidates:
    """Scored candidates of one refresh.

    Attributes:
        query: [R] number of the query in its split.
        positive: [R] number of the positive document.
        document: [R, K] numbers of the candidate documents.
        score: [R, K] s(q, d-), raw inner product.
        positive_score: [R] s(q, d+), always scored, also when the positive was not retrieved.
        positive_similarity: [R, K] s(d+, d-).
        valid: [R, K] false where a row has fewer than K candidates or the candidate is masked.
        query_norm: [R] length of the query's embedding.
        positive_norm: [R] length of the positive's embedding.
        document_norm: [R, K] lengths of the candidates' embeddings.
        model: hash of the weights that scored them.
    """

    query: Integers
    positive: Integers
    document: Integers
    score: Floats
    positive_score: Floats
    positive_similarity: Floats
    valid: Booleans
    query_norm: Floats
    positive_norm: Floats
    document_norm: Floats
    model: str

    def rows(self, rows: Integers) -> Candidates:
        """Return the candidates of some rows."""
        return Candidates(
            query=self.query[rows],
            positive=self.positive[rows],
            document=self.document[rows],
            score=self.score[rows],
            positive_score=self.positive_score[rows],
            positive_similarity=self.positive_similarity[rows],
            valid=self.valid[rows],
            query_norm=self.query_norm[rows],
            positive_norm=self.positive_norm[rows],
            document_norm=self.document_norm[rows],
            model=self.model,
        )

    def gap(self, scale: str = "raw") -> Floats:
        """Return s(q, d-) - s(q, d+), [R, K] float64.

        Args:
            scale: ``raw``: inner products as they are; ``standardised``: divided by the standard deviation
                of the valid candidates' scores of the row; ``cosine``: of normalised embeddings.
        """
        score = self.score.astype(np.float64)
        positive = self.positive_score.astype(np.float64)[:, None]
        if scale == "cosine":
            return self.query_cosine() - self.positive_cosine()[:, None]
        if scale == "standardised":
            spread = np.nanstd(np.where(self.valid, score, np.nan), axis=1, keepdims=True)
            return np.asarray((score - positive) / np.where(spread > 0, spread, 1.0))
        return np.asarray(score - positive)

    def query_cosine(self) -> Floats:
        """Return cos(q, d-), [R, K]."""
        return _cosine(self.score, self.query_norm[:, None] * self.document_norm)

    def positive_cosine(self) -> Floats:
        """Return cos(q, d+), [R]."""
        return _cosine(self.positive_score, self.query_norm * self.positive_norm)

    def document_cosine(self) -> Floats:
        """Return cos(d+, d-), [R, K]."""
        return _cosine(self.positive_similarity, self.positive_norm[:, None] * self.document_norm)


@dataclass(frozen=True)
class Weights:
    """What a law says of the candidates of some rows.

    Attributes:
        log_weight: [R, K] logarithm of the unnormalised weight; -inf where the law gives none.
        fills: [R, K] each; the log-weights by which a row is filled when fewer than n of its candidates
            have a weight: by the first, then by the second where that does not suffice.
    """

    log_weight: Floats
    fills: tuple[Floats, ...] = ()


@dataclass(frozen=True)
class Draws:
    """Negatives drawn for some rows.

    Attributes:
        column: [R, n] which candidate of the row.
        document: [R, n] number of the document.
        filled: [R] how many of the n came from the law's filling.
        tiled: [R] how many of the n repeat an earlier one because the row has fewer than n candidates.
    """

    column: Integers
    document: Integers
    filled: Integers
    tiled: Integers


def check_scores(candidates: Candidates) -> None:
    """Refuse scores that no law can weigh.

    Raises:
        UserError: a score of a valid candidate or of a positive is not a finite number.
    """
    for name, value, used in [
        ("s(q, d-)", candidates.score, candidates.valid),
        ("s(d+, d-)", candidates.positive_similarity, candidates.valid),
        ("s(q, d+)", candidates.positive_score, np.ones_like(candidates.positive_score, dtype=bool)),
    ]:
        wrong = used & ~np.isfinite(value)
        if wrong.any():
            row = int(np.argwhere(wrong)[0][0])
            raise UserError(
                f"{name} is not a finite number in {int(wrong.any(axis=-1).sum())} row(s)",
                where=f"candidates of query {int(candidates.query[row])}",
                fix="the encoder diverged: lower the learning rate or the score scale",
            )


def _cosine(product: Floats, norms: Floats) -> Floats:
    return np.clip(product.astype(np.float64) / np.maximum(norms.astype(np.float64), 1e-12), -1.0, 1.0)
