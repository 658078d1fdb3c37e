"""Candidates for hard negatives, and what a sampler draws from them.

Letters of shapes: R rows, one a (query, positive) pair; K candidates a row; n negatives a row.
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
    """Scored candidates of one refresh.

    Attributes:
        query: [R] number of the query in its split.
        positive: [R] number of the positive document.
        document: [R, K] numbers of the candidate documents.
        score: [R, K] s(q, d-), raw inner product.
        positive_score: [R] s(q, d+), always scored, also when the positive was not retrieved.
        positive_retrieved: [R] whether the source itself found the positive, before it was masked.
        positive_similarity: [R, K] s(d+, d-); not a number where scores were read from a file.
        valid: [R, K] false where a row has fewer than K candidates or the candidate is masked.
        origin: [R, K] which part of a union of sources proposed it, from 0.
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
    positive_retrieved: Booleans
    positive_similarity: Floats
    valid: Booleans
    origin: npt.NDArray[np.integer[Any]]
    query_norm: Floats
    positive_norm: Floats
    document_norm: Floats
    model: str

    def rows(self, rows: Integers) -> Candidates:
        """Return the candidates of some rows."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        return Candidates(**{k: v if k == "model" else v[rows] for k, v in arrays.items()})

    def gap(self, scale: str = "raw") -> Floats:
        """Return s(q, d-) - s(q, d+), [R, K] float64.

        Args:
            scale: ``raw``: inner products as they are; ``standardised``: divided by the standard deviation
                of the valid candidates' scores of the row; ``cosine``: of normalised embeddings.
        """
        if scale == "cosine":
            return self.query_cosine() - self.positive_cosine()[:, None]
        gap = self.score - self.positive_score.astype(np.float64)[:, None]
        if scale == "standardised":
            return np.asarray(gap / self.spread())
        return np.asarray(gap)

    def spread(self) -> Floats:
        """Return the standard deviation of the valid candidates' scores, [R, 1]; 1 where they do not vary."""
        scores = np.where(self.valid, self.score, np.nan)
        spread = np.nanstd(scores, axis=1, keepdims=True, dtype=np.float64)
        return np.where(spread > 0, spread, 1.0)

    def rank(self) -> Integers:
        """Return the rank of each candidate by s(q, d-) among the valid ones of its row, from 0, [R, K].

        Ties go to the smaller document number, as everywhere; candidates that are not valid come last.
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


def check_scores(candidates: Candidates, *, similarity: bool) -> None:
    """Refuse scores that no law can weigh.

    Args:
        candidates: with their scores.
        similarity: whether s(d+, d-) is needed.

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
