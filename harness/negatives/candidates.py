"""Candidates for hard negatives, and the negatives that a sampler draws from them.

Letters of shapes: R rows, one for each (query, positive) pair; K candidates and n negatives in each row.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.errors import UserError

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Candidates:
    """The scored candidates of one refresh.

    Attributes:
        query: [R] number of the query in its split.
        positive: [R] number of the positive document.
        document: [R, K] numbers of the candidate documents.
        score: [R, K] s(q, d-), raw inner product.
        positive_score: [R] s(q, d+), also for positives that were not retrieved.
        positive_retrieved: [R] whether the source retrieved the positive, before masking.
        positive_similarity: [R, K] s(d+, d-); NaN for scores from a file.
        valid: [R, K] false for masked candidates, and for missing ones in rows with fewer than K.
        origin: [R, K] number of the part of a union of sources that proposed the candidate.
        query_norm: [R] norm of the query's embedding.
        positive_norm: [R] norm of the positive's embedding.
        document_norm: [R, K] norms of the candidates' embeddings.
        model: hash of the weights that computed the scores.
    """

    query: Integers
    positive: Integers
    document: Integers
    score: Floats
    positive_score: Floats
    positive_retrieved: Booleans
    positive_similarity: Floats
    valid: Booleans
    origin: npt.NDArray[np.integer[Any]]
    query_norm: Floats
    positive_norm: Floats
    document_norm: Floats
    model: str

    def rows(self, rows: Integers) -> Candidates:
        """Return the candidates of selected rows."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        return Candidates(**{k: v if k == "model" else v[rows] for k, v in arrays.items()})

    def gap(self, scale: str = "raw") -> Floats:
        """Return s(q, d-) - s(q, d+), [R, K] float64.

        Args:
            scale: ``raw``: of inner products; ``standardised``: divided by the standard deviation of the
                row's valid scores; ``cosine``: of normalised embeddings.
        """
        if scale == "cosine":
            return self.query_cosine() - self.positive_cosine()[:, None]
        gap = self.score - self.positive_score.astype(np.float64)[:, None]
        if scale == "standardised":
            return np.asarray(gap / self.spread())
        return np.asarray(gap)

    def spread(self) -> Floats:
        """Return the standard deviation of each row's valid scores, [R, 1]; 1 if all are equal."""
        scores = np.where(self.valid, self.score, np.nan)
        spread = np.nanstd(scores, axis=1, keepdims=True, dtype=np.float64)
        return np.where(spread > 0, spread, 1.0)

    def rank(self) -> Integers:
        """Return the rank of each candidate by s(q, d-) among the valid ones of its row, from 0, [R, K].

        Ties go to the smaller document number, as everywhere; invalid candidates come last.
        """
        by_score = np.where(self.valid, -self.score.astype(np.float64), np.inf)
        order = np.lexsort((self.document, by_score), axis=1)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(order.shape[1])[None, :], axis=1)
        return rank

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
    """The weights of a law for the candidates of some rows.

    Attributes:
        log_weight: [R, K] logarithm of the unnormalised weight; -inf for a weight of 0.
        fills: [R, K] log-weights that fill rows in which fewer than n candidates have a weight: first by the
            first array, then by the second if necessary, and so on.
    """

    log_weight: Floats
    fills: tuple[Floats, ...] = ()


@dataclass(frozen=True)
class Draws:
    """The negatives drawn for some rows.

    Attributes:
        column: [R, n] column of the candidate in its row.
        document: [R, n] number of the document.
        filled: [R] number of negatives that come from the law's fills.
        tiled: [R] number of negatives that repeat an earlier one, in rows with fewer than n candidates.
    """

    column: Integers
    document: Integers
    filled: Integers
    tiled: Integers


def check_scores(candidates: Candidates, *, similarity: bool) -> None:
    """Check that all scores are finite.

    Args:
        candidates: candidates of which to check s(q, d-) and s(q, d+).
        similarity: whether to check s(d+, d-), too.

    Raises:
        UserError: a score of a valid candidate or of a positive is not a finite number.
    """
    _check(candidates, "s(q, d-)", candidates.score, candidates.valid)
    _check(candidates, "s(q, d+)", candidates.positive_score, np.True_)
    if similarity:
        _check(candidates, "s(d+, d-)", candidates.positive_similarity, candidates.valid)


def _check(candidates: Candidates, name: str, value: Floats, used: Any) -> None:
    finite = np.isfinite(value)
    if finite.all():
        return
    wrong = used & ~finite
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise UserError(
            f"{name} is not a finite number in {int(wrong.reshape(len(wrong), -1).any(axis=1).sum())} row(s)",
            where=f"candidates of query {int(candidates.query[row])}",
            fix="the encoder diverged: lower the learning rate or the score scale",
        )


def _cosine(product: Floats, norms: Floats) -> Floats:
    return np.clip(product.astype(np.float64) / np.maximum(norms.astype(np.float64), 1e-12), -1.0, 1.0)
