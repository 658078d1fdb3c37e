"""Sums of gradients over queries, by rank and group of queries, and their inner products."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.gradients.per_sample import ParameterGradients


class Sums:
    """Sums of gradients over the queries of each group, at each of some ranks.

    Args:
        shapes: name of a parameter -> shape of its gradients.
        groups: number of groups of queries.
        ranks: number of ranks.
        like: tensor with the type and device of the sums.
        rows: name of an embedding -> its stored rows, ascending; `shapes` has the shapes of these.
    """

    def __init__(
        self,
        shapes: Mapping[str, torch.Size],
        groups: int,
        ranks: int,
        like: Tensor,
        rows: Mapping[str, Tensor] | None = None,
    ) -> None:
        self._sums = {name: like.new_empty(groups, ranks, *shape) for name, shape in shapes.items()}
        self._rows = rows or {}
        self._groups, self._ranks, self.device = groups, ranks, like.device
        self.clear()

    def clear(self) -> None:
        """Set all sums to 0, reusing their memory: new pages take longer than refilling old ones."""
        for sums in self._sums.values():
            sums.zero_()

    def add(self, name: str, group: int, at: Tensor, gradient: ParameterGradients) -> None:
        """Add gradients of one parameter.

        Args:
            name: name of the parameter.
            group: group of the query.
            at: [B] distinct positions among the ranks.
            gradient: gradients of B sequences.
        """
        sums = self._sums[name][group]
        if gradient.rows is None:
            sums.index_add_(0, at, gradient.values)
            return
        rows = torch.searchsorted(self._rows[name], gradient.rows) if name in self._rows else gradient.rows
        place = at[:, None] * sums.shape[1] + rows
        sums.view(-1, sums.shape[2]).index_add_(0, place.flatten(), gradient.values.flatten(0, 1))

    def products(self) -> Tensor:
        """Return the inner products of the groups' sums at each rank, [ranks, groups, groups] float64."""
        products = torch.zeros(self._ranks, self._groups, self._groups, dtype=torch.float64)
        for sums in self._sums.values():
            for rank in range(self._ranks):
                flat = sums[:, rank].flatten(1)
                products[rank] += (flat @ flat.T).double().cpu()
        return products
