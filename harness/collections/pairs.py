"""Pairs of a query and a passage as one token sequence, for cross-encoders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.collections.tokens import Ragged
from harness.errors import UserError

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """P sequences `[CLS] query [SEP] passage [SEP]`, assembled from stored tokens on demand.

    A passage's first token is dropped; a long passage is truncated before its last token.

    Attributes:
        queries: token sequences of a split's queries.
        documents: token sequences of the documents.
        query: [P] number of each pair's query.
        document: [P] number of each pair's document.
        longest: maximal length of a pair in tokens.
    """

    queries: Ragged
    documents: Ragged
    query: IntArray
    document: IntArray
    longest: int

    def __post_init__(self) -> None:
        longest = int(self._of_query(self.query).max(initial=0))
        if longest + 1 >= self.longest:
            raise UserError(
                f"a query of {longest} tokens leaves no room for a passage in pairs of {self.longest}",
                fix="raise pair_tokens or lower query_tokens",
            )

    def __len__(self) -> int:
        return len(self.query)

    @property
    def lengths(self) -> IntArray:
        """Length of each pair in tokens, [P]."""
        of_passage = self.documents.offset[self.document + 1] - self.documents.offset[self.document] - 1
        return np.asarray(np.minimum(self._of_query(self.query) + of_passage, self.longest))

    def padded(self, rows: IntArray, pad: int) -> tuple[IntArray, IntArray, IntArray]:
        """Return token ids, attention mask and token types of some pairs, each [len(rows), longest pair].

        Types are 0 up to the query's last token, 1 in the passage, and 0 in the padding.
        """
        query, document = self.query[rows], self.document[rows]
        middle, length = self._of_query(query)[:, None], self.lengths[rows][:, None]
        place = np.arange(int(length.max(initial=1)))[None, :]
        mask, types = place < length, (place >= middle) & (place < length)
        of_query = self.queries.offset[query][:, None] + place
        of_passage = self.documents.offset[document][:, None] + 1 + place - middle
        of_passage = np.where(
            place == length - 1, self.documents.offset[document + 1][:, None] - 1, of_passage
        )
        ids = np.full(mask.shape, pad, dtype=np.int64)
        ids[mask & ~types] = self.queries.flat[of_query[mask & ~types]]
        ids[types] = self.documents.flat[of_passage[types]]
        return ids, mask.astype(np.int64), types.astype(np.int64)

    def _of_query(self, query: IntArray) -> IntArray:
        """Return the lengths of queries in tokens."""
        return np.asarray(self.queries.offset[query + 1] - self.queries.offset[query])
