"""The draw of SimANS' released code: unions of draws with replacement, truncated to n."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from harness.negatives.candidates import Candidates, Draws, Floats, Integers, Weights
from harness.negatives.draws.draw import FINAL_STAGE, gumbel
from harness.negatives.draws.take import fill_row, finish
from harness.negatives.noise import Noise
from harness.pieces import Piece

SHUFFLE_STAGE = 50
"""Stage of the noise that shuffles the candidates, as in the wiki script."""


class ReleasedUnion(Piece):
    """n draws with replacement from the unchosen candidates, until at least n are chosen, truncated to n.

    The truncation is not random. ``set-order`` (MS-Pas, MS-Doc): the first n in the order in which CPython
    iterates a set of integers, roughly the document number modulo the size of the set's table, so that some
    documents are nearly always cut. ``shuffled`` (NQ, TQ): the first n in the order of a shuffled list.

    It runs row by row in Python, as the original: a reading for comparison, slower than the other draws.
    """

    name: Literal["released-union"] = "released-union"
    summary: ClassVar[str] = "unions of n draws with replacement, truncated to n in a non-random order"
    citation: ClassVar[str] = "SimANS code, utils/MARCO_until_new.py:202, utils/util_wiki.py:614-631"

    truncation: Literal["set-order", "shuffled"] = "set-order"

    def __call__(self, candidates: Candidates, weights: Weights, noise: Noise, n: int) -> Draws:
        """Truncate the union of each row to n; rows with too few weights are filled and tiled."""
        shuffle = noise.of(candidates, SHUFFLE_STAGE)
        shake = gumbel(noise.of(candidates, SHUFFLE_STAGE + 1))
        by_document = np.argsort(candidates.document, axis=1, kind="stable")
        rows, width = shuffle.shape
        column = np.zeros((rows, min(n, width)), dtype=np.int64)
        available, filled = np.zeros((2, rows), dtype=np.int64)
        for row, uniform in enumerate(noise.of_row(candidates, FINAL_STAGE, n * n)):
            union = _union(weights.log_weight[row], by_document[row], uniform.reshape(n, n))
            if self.truncation == "set-order":
                documents = {int(candidates.document[row, place]): place for place in union}
                cut = [documents[document] for document in set(documents)][:n]
            else:
                cut = sorted(union, key=lambda place: shuffle[row, place])[:n]
            chosen = fill_row(np.array(cut, dtype=np.int64), weights, shake, np.intp(row), n)
            filled[row], available[row] = len(chosen) - len(cut), len(chosen)
            column[row, : len(chosen)] = chosen
        return finish(candidates, column, available, filled, n)


def _union(log_weight: Floats, order: Integers, noise: Floats) -> list[int]:
    """Return columns in the order of their first draw; at least n if so many have a weight.

    Args:
        log_weight: [K] log-weights of the row's candidates.
        order: [K] columns, sorted by document number.
        noise: [n, n] uniform noise; each batch of n draws uses one line and adds at least one candidate.
    """
    n = noise.shape[1]
    left = order[np.isfinite(log_weight[order])]
    chosen: list[int] = []
    for batch in noise:
        if not len(left) or len(chosen) >= n:
            break
        heap = np.cumsum(np.exp(log_weight[left] - log_weight[left].max()))
        drawn = left[np.searchsorted(heap, batch * heap[-1])]
        chosen += list(dict.fromkeys(drawn.tolist()))
        left = left[~np.isin(left, drawn)]
    return chosen
