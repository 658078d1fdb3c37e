"""Gradients of a query's negatives by the parameters of the towers' last layers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from harness.encoders.dual_encoder import DualEncoder
from harness.gradients.coefficients import Coefficients
from harness.gradients.last_layer import LastLayer, last_layer
from harness.gradients.lists import RankedLists
from harness.gradients.per_sample import GradientsByName, ParameterGradients, Trace, traced
from harness.gradients.vector_cache import VectorCache
from harness.negatives.candidates import Integers
from harness.retrieval.encode import length_buckets
from harness.runs.retriever import Retriever

TowerSide = Literal["query", "passage", "both"]


class LayerGradients:
    """Computes the gradients of negatives, query by query.

    A parameter acts on a score through the query's embedding and through a passage's. Separate towers have
    one path each; of a shared tower, ``query`` and ``passage`` use one of its two paths.

    Args:
        retriever: the retriever of the towers.
        lists: queries with their ranked documents.
        coefficients: coefficients of the negatives' losses.
        side: ``query``, ``passage`` or ``both``.

    Raises:
        UserError: a last layer without per-sequence gradients.
    """

    def __init__(
        self, retriever: Retriever, lists: RankedLists, coefficients: Coefficients, side: TowerSide
    ) -> None:
        self.encoder: DualEncoder = retriever.encoder
        self.lists, self.coefficients = lists, coefficients
        self._tokens = retriever.tokens
        self._read = retriever.states or retriever.tokens
        self._query = last_layer(self.encoder.query) if side != "passage" else None
        self._passage = last_layer(self.encoder.passage) if side != "query" else None
        self._query_texts = self._read.queries[lists.split]

    @property
    def layers(self) -> dict[str, LastLayer]:
        """Name of a tower -> its last layer, distinct ones only."""
        named = {self._name("query"): self._query, self._name("passage"): self._passage}
        if self.encoder.shared:
            named = {"shared": self._query or self._passage}
        return {name: layer for name, layer in named.items() if layer is not None}

    @cached_property
    def rows(self) -> dict[str, Tensor]:
        """Name of word embeddings -> their rows that any sequence reads, ascending."""
        read: dict[str, Integers] = {}
        for tower, layer, texts, numbers in (
            ("query", self._query, self._tokens.queries[self.lists.split], self.lists.query),
            ("passage", self._passage, self._tokens.documents, np.unique(self.lists.document)),
        ):
            if layer is not None and layer.words is not None:
                name = f"{self._name(tower)}.{layer.words}.weight"
                ids = texts.padded(numbers, self._tokens.pad)[0]
                read[name] = np.union1d(read.get(name, self._tokens.pad), ids)
        return {name: torch.from_numpy(ids).to(self.lists.queries.device) for name, ids in read.items()}

    @property
    def shapes(self) -> dict[str, torch.Size]:
        """Name of a parameter -> shape of its gradients; of word embeddings only the rows that are read."""
        shapes = {
            f"{tower}.{name}": parameter.shape
            for tower, layer in self.layers.items()
            for name, parameter in layer.parameters.items()
        }
        return shapes | {name: torch.Size([len(rows), shapes[name][1]]) for name, rows in self.rows.items()}

    @property
    def longest(self) -> int:
        """Number of tokens of the longest sequence."""
        lengths = [self._query_texts.lengths[self.lists.query]] if self._query else []
        if self._passage:
            lengths.append(self._tokens.documents.lengths[self.lists.document.ravel()])
        return max(int(some.max()) for some in lengths)

    @property
    def held_bytes(self) -> int:
        """Bytes of embeddings, coefficients and results."""
        embeddings = (self.lists.queries, self.lists.passages)
        return sum(some.numel() * some.element_size() for some in embeddings) + 10 * self.lists.score.nbytes

    @property
    def shared_bytes(self) -> int:
        """Bytes of the weighted sums of all queries."""
        if self._passage is None:
            return 0
        size, tower = self.lists.queries.element_size(), f"{self._name('passage')}."
        of_sum = sum(shape.numel() for name, shape in self.shapes.items() if name.startswith(tower)) * size
        used = np.where(self.coefficients.scale != 0, 1 + self.coefficients.which, 0)
        return of_sum * int((used == 1).any(axis=1).sum() + (used == 2).any(axis=1).sum())

    def of(
        self, row: int, some: Integers, places: int, cache: VectorCache
    ) -> Iterator[tuple[Tensor, str, ParameterGradients]]:
        """Yield the gradients of a query's negatives, some negatives and one parameter at a time.

        Args:
            row: number of the query's row.
            some: numbers of some of its negatives, from 0.
            places: maximum of token places in a pass.
            cache: shared sums of earlier and later calls.

        Yields:
            [B] positions in `some`, distinct for each parameter over the whole call; the parameter's name;
            its gradients.
        """
        shared = self._shared_sums(row, some, places, cache)
        lengths = np.full(
            len(some), int(self._query_texts.lengths[self.lists.query[row]]) if self._query else 0
        )
        if self._passage:
            documents = self.lists.document[row, 1 + some]
            lengths = np.maximum(lengths, self._tokens.documents.lengths[documents])
        for bucket in length_buckets(lengths, places):
            here = some[bucket]
            at = torch.from_numpy(bucket).to(self.lists.queries.device)
            which, scale = self.coefficients.which[row, here], self.coefficients.scale[row, here]
            factors = [self._number(np.where(which == number, scale, 0)) for number in (0, 1)]
            for module, capture in self._seen(row, here).items():
                for name, gradient in capture.gradients():
                    full, total = f"{module}.{name}", gradient
                    for factor, sums in zip(factors, shared, strict=True):
                        total = total.plus(sums[full], factor) if full in sums else total
                    yield at, full, total

    def _seen(self, row: int, some: Integers) -> Trace:
        """Return the captures of some negatives of a query, and of the query once for each of them."""
        seen: Trace = {}
        if self._passage is not None:
            cotangent = self._number(self.coefficients.own[row, some])[:, None] * self.lists.queries[row]
            seen |= self._passages(self._passage, row, 1 + some, cotangent)
        if self._query is not None:
            numbers = np.full(len(some), self.lists.query[row])
            cotangent = query_cotangents(self.lists, self.coefficients, row, some)
            trace = traced(self._query, self._query_texts, numbers, self._tokens.pad, cotangent)
            for module, capture in trace.items():
                name = f"{self._name('query')}.{module}"
                seen[name] = seen[name].and_then(capture) if name in seen else capture
        return seen

    def _shared_sums(
        self, row: int, some: Integers, places: int, cache: VectorCache
    ) -> list[GradientsByName]:
        """Return both weighted sums of the gradients of a query's scores through the passages.

        A sum that none of the negatives needs is empty.
        """
        if self._passage is None:
            return [{}, {}]
        needed = self.coefficients.which[row, some][self.coefficients.scale[row, some] != 0]
        return [
            cache.of((row, number), partial(self._shared, self._passage, row, number, places))
            if number in needed
            else {}
            for number in (0, 1)
        ]

    def _shared(self, layer: LastLayer, row: int, number: int, places: int) -> GradientsByName:
        columns = np.flatnonzero(self.coefficients.weight[row, number])
        weight = (
            self._number(self.coefficients.weight[row, number, columns])[:, None] * self.lists.queries[row]
        )
        lengths = self._tokens.documents.lengths[self.lists.document[row, columns]]
        sums: GradientsByName = {}
        for bucket in length_buckets(lengths, places):
            cotangent = weight[torch.from_numpy(bucket)]
            for module, capture in self._passages(layer, row, columns[bucket], cotangent).items():
                for name, gradient in capture.whole().gradients():
                    full = f"{module}.{name}"
                    sums[full] = gradient.plus(sums[full], weight.new_ones(1)) if full in sums else gradient
        return sums

    def _passages(self, layer: LastLayer, row: int, columns: Integers, cotangent: Tensor) -> Trace:
        numbers = self.lists.document[row, columns]
        trace = traced(layer, self._read.documents, numbers, self._tokens.pad, cotangent)
        return {f"{self._name('passage')}.{module}": capture for module, capture in trace.items()}

    def _name(self, tower: str) -> str:
        return "shared" if self.encoder.shared else tower

    def _number(self, values: object) -> Tensor:
        return torch.as_tensor(values).to(self.lists.queries)


def query_cotangents(lists: RankedLists, coefficients: Coefficients, row: int, some: Integers) -> Tensor:
    """Return the gradients of the losses of some of a query's negatives by its embedding, [B, dimension]."""
    passages = lists.passages[lists.place[row]]
    own, scale, weight = (
        torch.from_numpy(values).to(passages)
        for values in (coefficients.own[row, some], coefficients.scale[row, some], coefficients.weight[row])
    )
    sums = (weight @ passages)[coefficients.which[row, some]]
    return own[:, None] * passages[1 + some] + scale[:, None] * sums
