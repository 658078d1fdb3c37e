"""The lists of the analysis: queries, each with a positive and negatives ranked by score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.collections.tokens import Texts
from harness.encoders.dual_encoder import TwoTowers
from harness.encoders.partial import PartialEncoder
from harness.errors import UserError
from harness.gradients.last_layer import only_last_layers
from harness.negatives.candidates import Floats, Integers
from harness.negatives.noise import uniform
from harness.runs.retriever import Retriever
from harness.training.batches import TrainingPairs
from harness.training.forward import embed

QUERIES_STAGE = 102
"""Stage of the noise that chooses queries."""

AT_ONCE = 256
"""Queries that are scored against all documents at once."""


@dataclass(frozen=True)
class RankedLists:
    """Q queries with 1 + R documents each.

    Attributes:
        split: split of the queries.
        query: [Q] numbers of the queries.
        document: [Q, 1 + R] numbers of the documents: the first labelled positive, then the negatives from
            rank 1 on.
        score: [Q, 1 + R] float64 inner products of the embeddings below.
        queries: [Q, dimension] embeddings of the queries, in the encoder's type.
        passages: [U, dimension] embeddings of the distinct documents, in the encoder's type.
        place: [Q, 1 + R] row of each document in `passages`.
        positive_rank: [Q] mean over a query's labelled positives of their rank among all its negatives.
    """

    split: str
    query: Integers
    document: Integers
    score: Floats
    queries: Tensor
    passages: Tensor
    place: Integers
    positive_rank: Floats


def build_lists(retriever: Retriever, split: str, ranks: int, queries: int | None, seed: int) -> RankedLists:
    """Rank the negatives of queries by embeddings in the encoder's own type.

    Args:
        retriever: the retriever to analyse.
        split: split of the queries.
        ranks: number R of negatives per query.
        queries: number of queries drawn from those with a labelled positive; all by default.
        seed: seed of that draw.

    Raises:
        UserError: no such split, too few queries, or more ranks than documents.
    """
    pairs = retriever.pairs(split)
    chosen = None if queries is None else _chosen(pairs, queries, split, seed)
    mined = retriever.candidates(split, k=ranks, queries=None if chosen is None else chosen.tolist())
    query, first = np.unique(mined.query, return_index=True)
    document = np.concatenate([mined.positive[first, None], mined.document[first]], axis=1)
    distinct, place = np.unique(document, return_inverse=True)
    with torch.no_grad(), only_last_layers(retriever.encoder, []):
        q, p = _embedded(retriever, split, query, distinct)
        place = place.reshape(document.shape)
        score = np.stack([(p[at] @ one).double().cpu().numpy() for one, at in zip(q, place, strict=True)])
    order = np.lexsort((document[:, 1:], -score[:, 1:]), axis=1) + 1
    order = np.concatenate([np.zeros_like(order[:, :1]), order], axis=1)
    document, score, place = (np.take_along_axis(table, order, axis=1) for table in (document, score, place))
    return RankedLists(split, query, document, score, q, p, place, _positive_ranks(retriever, split, query))


def _embedded(retriever: Retriever, split: str, query: Integers, document: Integers) -> tuple[Tensor, Tensor]:
    """Return embeddings of queries and documents in the encoder's type; in float32 those that ranked them."""
    like = retriever.encoder.query.like
    if like.dtype == torch.float32:
        embedded = (retriever.queries(split)[query], retriever.documents[document])
        q, p = (torch.from_numpy(vectors).to(like.device) for vectors in embedded)
        return q, p
    encoder, texts = _embedding(retriever)
    q = embed(encoder.query, texts.queries[split], query, texts.pad)
    return q, embed(encoder.passage, texts.documents, document, texts.pad)


def _embedding(retriever: Retriever) -> tuple[TwoTowers[Any], Texts]:
    """Return what embeds the texts, and what it reads: states that enter the last layer, where there are."""
    if retriever.states is None:
        return retriever.encoder, retriever.tokens
    return PartialEncoder(retriever.encoder, "last-layer").eval(), retriever.states


def _chosen(pairs: TrainingPairs, count: int, split: str, seed: int) -> Integers:
    known = np.unique(pairs.pairs[:, 0])
    if not 1 <= count <= len(known):
        raise UserError(
            f"{count} queries are asked for, and '{split}' has {len(known)} with a labelled positive",
            fix=f"ask for 1 to {len(known)}",
        )
    return np.sort(known[np.argsort(uniform(seed, 0, 0, QUERIES_STAGE, known))[:count]])


def _positive_ranks(retriever: Retriever, split: str, query: Integers) -> Floats:
    """Return the mean rank, from 1, of each query's labelled positives among its negatives, [Q]."""
    pairs = retriever.pairs(split)
    rows = pairs.pairs[:, 0].tolist()
    labelled = dict(zip(rows, pairs.labelled, strict=True))
    kept_out = dict(zip(rows, pairs.masked("labelled"), strict=True))
    embedded, ranks = retriever.queries(split), np.empty(len(query))
    for begin in range(0, len(query), AT_ONCE):
        some = query[begin : begin + AT_ONCE]
        for row, (number, scores) in enumerate(
            zip(some, embedded[some] @ retriever.documents.T, strict=True)
        ):
            positive = scores[labelled[number]]
            scores[kept_out[number]] = -np.inf
            ranks[begin + row] = (scores[None, :] > positive[:, None]).sum(axis=1).mean() + 1
    return ranks
