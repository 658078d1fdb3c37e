"""Mining: the candidates of every training pair, scored by the present retriever."""

from __future__ import annotations

import io
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.errors import UserError
from harness.files import write_bytes
from harness.negatives.candidates import Candidates
from harness.retrieval.search import exact_search

PAIRS_AT_ONCE = 512
"""Rows whose scores against all documents are held at once; bounds memory to this times N floats."""


def mine(
    *,
    pairs: npt.NDArray[np.int64],
    queries: npt.NDArray[np.float32],
    documents: npt.NDArray[np.float32],
    masked: list[npt.NDArray[np.int64]],
    k: int,
    model: str,
) -> Candidates:
    """Return the top-K candidates of each pair by s(q, d), known positives masked out.

    s(d+, d-) is read off the positives' scores against all documents, a block of pairs at a time, so no
    [R, K, dimension] array exists.

    Args:
        pairs: [R, 2] query number and positive document number.
        queries: [queries, dimension] embeddings by query number.
        documents: [N, dimension] embeddings.
        masked: for each pair, documents that may not be drawn.
        k: K; rows of a small collection may have fewer.
        model: hash of the weights that made the embeddings.
    """
    depth = k + max((len(some) for some in masked), default=0)
    scores, numbers = exact_search(queries[pairs[:, 0]], documents, depth)
    score, document, valid = _without_masked(scores, numbers, masked, k)
    similarity = np.empty_like(score)
    for begin in range(0, len(pairs), PAIRS_AT_ONCE):
        part = slice(begin, begin + PAIRS_AT_ONCE)
        to_all = documents[pairs[part, 1]] @ documents.T
        similarity[part] = np.take_along_axis(to_all, document[part], axis=1)
    norm = np.linalg.norm(documents, axis=1).astype(np.float32)
    q = queries[pairs[:, 0]]
    return Candidates(
        query=pairs[:, 0].copy(),
        positive=pairs[:, 1].copy(),
        document=document,
        score=score,
        positive_score=np.einsum("rd,rd->r", q, documents[pairs[:, 1]]),
        positive_similarity=similarity,
        valid=valid,
        query_norm=np.linalg.norm(q, axis=1).astype(np.float32),
        positive_norm=norm[pairs[:, 1]],
        document_norm=norm[document],
        model=model,
    )


def _without_masked(
    scores: npt.NDArray[np.float32],
    numbers: npt.NDArray[np.int64],
    masked: list[npt.NDArray[np.int64]],
    k: int,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Move masked documents of each row behind the others and keep K columns."""
    allowed = np.stack([~np.isin(row, some) for row, some in zip(numbers, masked, strict=True)])
    order = np.argsort(~allowed, axis=1, kind="stable")[:, :k]
    return (
        np.take_along_axis(scores, order, axis=1),
        np.take_along_axis(numbers, order, axis=1),
        np.take_along_axis(allowed, order, axis=1),
    )


def save_candidates(candidates: Candidates, path: Path) -> None:
    """Write candidates as one file, atomically."""
    stream = io.BytesIO()
    arrays: dict[str, Any] = {f.name: np.asarray(getattr(candidates, f.name)) for f in fields(candidates)}
    np.savez(stream, allow_pickle=False, **arrays)
    write_bytes(path, stream.getvalue())


def load_candidates(path: Path) -> Candidates:
    """Read candidates.

    Raises:
        UserError: the file is corrupt.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            values = {f.name: arrays[f.name] for f in fields(Candidates)}
    except Exception as error:
        raise UserError(
            f"corrupt cache file ({error})", where=str(path), fix="delete it and run again"
        ) from error
    return Candidates(**values | {"model": str(values["model"])})
