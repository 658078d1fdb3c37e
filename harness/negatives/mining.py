"""Mining: the candidates of all training pairs, scored by the current retriever."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.errors import UserError, told
from harness.negatives.candidates import Candidates, Integers
from harness.negatives.sources.corpus import Corpus
from harness.negatives.sources.source import Proposal, SearchResult, Source, View
from harness.storage.disk import space_for
from harness.storage.files import DELETE, written_beside
from harness.storage.members import Mapped

UNTIMED: AbstractContextManager[None] = nullcontext()


def refuse_lexical_search(depth: int) -> SearchResult:
    """Raise an error for a lexical search without texts."""
    raise UserError("BM25 needs the texts of a collection", fix="mine through `harness reproduce`")


@dataclass(frozen=True)
class Reads:
    """Which scores of candidates are read; the others need not be computed, and are NaN.

    Attributes:
        scores: numbers of the training pairs whose s(q, d-) are read; all of them by default.
        similarities: numbers of those whose s(d+, d-) are read; all of them by default.
    """

    scores: Integers | None = None
    similarities: Integers | None = None


EVERYTHING = Reads()

AT_ONCE = 4096
"""Vectors whose lengths are computed at once."""


@dataclass(frozen=True)
class Miner:
    """Retrieves and scores the candidates of all training pairs, at each refresh.

    Attributes:
        source: source of the candidates.
        k: number K of candidates for each pair.
        pairs: [R, 2] query number and positive document number.
        masked: numbers of the documents that must not be drawn, for each pair; always with the positive.
        query_ids: ids of the training queries by number, for rankings from files.
        document_number: document id -> number, for rankings from files.
        lexical: searches the k best documents by BM25 for each pair's query.
    """

    source: Source
    k: int
    pairs: Integers
    masked: Sequence[Integers]
    query_ids: Sequence[str] = ()
    document_number: Mapping[str, int] | None = None
    lexical: Callable[[int], SearchResult] = refuse_lexical_search

    def mine(
        self,
        queries: npt.NDArray[np.float32],
        documents: npt.NDArray[np.float32],
        *,
        model: str,
        seed: int,
        round: int = 0,
        previous: Candidates | None = None,
        reads: Reads = EVERYTHING,
        similarity: AbstractContextManager[None] = UNTIMED,
    ) -> Candidates:
        """Return the candidates of a refresh.

        Args:
            queries: [queries, dimension] embeddings by query number.
            documents: [N, dimension] embeddings by document number.
            model: hash of the weights that computed the embeddings.
            seed: seed of random sources.
            round: number of the refresh, from 0.
            previous: candidates of the previous round, if any.
            reads: which of their scores are read.
            similarity: times the similarities of documents.
        """
        view = View(
            pairs=self.pairs,
            queries=queries[self.pairs[:, 0]],
            documents=documents,
            masked=self.masked,
            query_ids=self.query_ids,
            document_number=self.document_number or {},
            lexical=self.lexical,
            previous=previous,
            seed=seed,
            round=round,
        )
        return score_proposal(view, self.source, self.k, model, reads, similarity)


def score_proposal(
    view: View,
    source: Source,
    k: int,
    model: str,
    reads: Reads = EVERYTHING,
    similarity: AbstractContextManager[None] = UNTIMED,
) -> Candidates:
    """Return a source's proposal as candidates, with the scores that laws use.

    Args:
        view: the refresh.
        source: of the candidates.
        k: number of candidates for each pair.
        model: hash of the weights that computed the embeddings.
        reads: which of the scores are read.
        similarity: times the similarities of documents.
    """
    proposal = _none_empty(view, source.propose(view, k), source.name, k)
    document = proposal.document
    norm = _norms(view.documents)
    with similarity:
        unknown = np.full(document.shape, np.nan, dtype=np.float32)
        similarities = view.similarities(document, reads.similarities) if proposal.score is None else unknown
    return Candidates(
        query=view.pairs[:, 0].copy(),
        positive=view.pairs[:, 1].copy(),
        document=document,
        score=view.scores(document, reads.scores) if proposal.score is None else proposal.score,
        positive_score=view.positive_scores() if proposal.positive_score is None else proposal.positive_score,
        positive_retrieved=proposal.retrieved,
        positive_similarity=similarities,
        valid=proposal.valid,
        origin=np.zeros(document.shape, dtype=np.int8) if proposal.origin is None else proposal.origin,
        query_norm=np.linalg.norm(view.queries, axis=1).astype(np.float32),
        positive_norm=norm[view.pairs[:, 1]],
        document_norm=norm[document],
        model=model,
    )


def _norms(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the lengths of vectors, a block at a time: the squares of all would be a second copy of them."""
    norms = np.empty(len(vectors), dtype=np.float32)
    for begin in range(0, len(vectors), AT_ONCE):
        block = slice(begin, begin + AT_ONCE)
        norms[block] = np.linalg.norm(vectors[block], axis=1)
    return norms


def _none_empty(view: View, proposal: Proposal, name: str, k: int) -> Proposal:
    """Add random documents to pairs without a proposal.

    Raises:
        UserError: there are such pairs, and scores come from a file.
    """
    empty = np.asarray(~proposal.valid.any(axis=1))
    if not empty.any():
        return proposal
    what = f"{int(empty.sum())} pair(s) have no candidate from source '{name}'"
    if proposal.score is not None:
        query = view.query_ids[view.pairs[np.flatnonzero(empty)[0], 0]]
        raise UserError(what, where=f"query '{query}'", fix="add documents, or use `scores: model`")
    warnings.warn(f"{what}: random documents replace them", stacklevel=4)
    random = Corpus().propose(view, k)
    return Proposal(
        document=np.concatenate([proposal.document, random.document], axis=1),
        valid=np.concatenate([proposal.valid, random.valid & empty[:, None]], axis=1),
        retrieved=proposal.retrieved,
        origin=None
        if proposal.origin is None
        else np.concatenate([proposal.origin, np.full(random.document.shape, -1, dtype=np.int8)], axis=1),
    )


def save_candidates(candidates: Candidates, path: Path, of: str) -> None:
    """Write candidates as one file, atomically.

    Args:
        candidates: of a round.
        path: of the file.
        of: whose candidates they are; read again under that name alone.
    """
    arrays: dict[str, Any] = {f.name: np.asarray(getattr(candidates, f.name)) for f in fields(candidates)}
    arrays["of"] = np.asarray(of)
    size = sum(array.nbytes for array in arrays.values())
    with space_for("the candidates", path.parent, size), written_beside(path) as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def load_candidates(path: Path, of: str) -> Candidates:
    """Read candidates, mapped from their file.

    Args:
        path: of the file.
        of: whose candidates they must be; older files do not say it.

    Raises:
        UserError: the file is corrupt, or holds those of another.
    """
    with told("corrupt cache file", where=str(path), fix=DELETE), zipfile.ZipFile(path) as archive:
        mapped = Mapped(archive, path)
        values: dict[str, Any] = {f.name: mapped.saved(f"{f.name}.npy") for f in fields(Candidates)}
        whose = str(mapped.saved("of.npy")) if "of.npy" in archive.namelist() else of
    if whose != of:
        raise UserError(f"these are the candidates of {whose}", where=str(path), fix=DELETE)
    return Candidates(**values | {"model": str(values["model"])})
