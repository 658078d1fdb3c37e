"""Lengths and grouped sums of gradients, from the coefficients of losses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harness.gradients.chunk_plan import plan_chunks
from harness.gradients.coefficients import Coefficients
from harness.gradients.last_layer import only_last_layers
from harness.gradients.layer_gradients import LayerGradients, query_cotangents
from harness.gradients.lists import RankedLists
from harness.gradients.per_sample import ParameterGradients
from harness.gradients.sums import Sums
from harness.gradients.vector_cache import VectorCache
from harness.negatives.candidates import Floats, Integers

QueryGroups = tuple[Integers, int]
"""[Q] group of each query, and the number of groups."""


@dataclass(frozen=True)
class Accumulated:
    """Gradients of Q queries at R ranks.

    Attributes:
        norm: [Q, R] float64 lengths of the gradients.
        product: [R, groups, groups] float64 inner products of the sums over each group's queries.
    """

    norm: Floats
    product: Floats


def accumulate_vectors(
    lists: RankedLists, coefficients: Coefficients, wrt: str, groups: QueryGroups
) -> Accumulated:
    """Accumulate gradients by the query's embedding, the negative's, or the negative's score.

    Args:
        lists: queries with their ranked documents.
        coefficients: coefficients of the negatives' losses.
        wrt: ``query-embedding``, ``passage-embedding`` or ``score``.
        groups: groups of the queries.
    """
    vectors = _vectors(lists, coefficients, wrt)
    queries, ranks = coefficients.own.shape
    width = 1 if wrt == "score" else lists.queries.shape[1]
    sums = Sums({wrt: torch.Size([width])}, groups[1], ranks, lists.queries)
    at, norm = torch.arange(ranks, device=lists.queries.device), np.empty((queries, ranks))
    for row, vector in enumerate(vectors):
        norm[row] = torch.linalg.vector_norm(vector, dim=1).cpu().numpy()
        sums.add(wrt, int(groups[0][row]), at, ParameterGradients(vector))
    return Accumulated(norm, sums.products().numpy())


def _vectors(lists: RankedLists, coefficients: Coefficients, wrt: str) -> Iterator[Tensor]:
    """Yield the gradients of each query's negatives, [R, width]."""
    ranks = np.arange(coefficients.own.shape[1])
    for row, own in enumerate(coefficients.of_score()):
        mine = torch.from_numpy(own).to(lists.queries)[:, None]
        if wrt == "query-embedding":
            yield query_cotangents(lists, coefficients, row, ranks)
        else:
            yield mine if wrt == "score" else mine * lists.queries[row]


def accumulate_layers(gradients: LayerGradients, groups: QueryGroups, memory: int) -> Accumulated:
    """Accumulate gradients by the parameters of last layers, in chunks of ranks over all queries.

    Args:
        gradients: computes the gradients of a query's negatives.
        groups: groups of the queries.
        memory: bound in bytes.

    Raises:
        UserError: one rank does not fit into the bound.
    """
    queries, ranks = gradients.coefficients.own.shape
    layers, shapes = list(gradients.layers.values()), gradients.shapes
    plan = plan_chunks(
        layers,
        shapes,
        memory,
        ranks,
        groups[1],
        cached=gradients.shared_bytes,
        longest=gradients.longest,
        held=gradients.held_bytes,
    )
    norm, product = np.empty((queries, ranks)), np.empty((ranks, groups[1], groups[1]))
    sums = Sums(shapes, groups[1], plan.ranks, gradients.lists.queries, gradients.rows)
    cache = VectorCache(plan.cache_bytes)
    with only_last_layers(gradients.encoder, layers):
        for begin in range(0, ranks, plan.ranks):
            some = np.arange(begin, min(begin + plan.ranks, ranks))
            for row in range(queries):
                square = torch.zeros(len(some), dtype=torch.float64, device=sums.device)
                for at, name, gradient in gradients.of(row, some, plan.places, cache):
                    square.index_add_(0, at, gradient.squares().double())
                    sums.add(name, int(groups[0][row]), at, gradient)
                norm[row, some] = square.sqrt().cpu().numpy()
            product[some] = sums.products().numpy()[: len(some)]
            sums.clear()
    return Accumulated(norm, product)
