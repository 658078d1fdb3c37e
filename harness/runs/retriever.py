"""A retriever on a collection, the object of analyses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.collections.collection import Collection
from harness.collections.tokens import TokenStore
from harness.encoders.dual_encoder import DualEncoder
from harness.errors import UserError, nearest
from harness.negatives.candidates import Candidates, Integers
from harness.negatives.mining import Miner
from harness.negatives.registry import make_source
from harness.retrieval.bm25 import bm25_search
from harness.retrieval.encode import Reader
from harness.retrieval.states import FrozenTexts
from harness.training.batches import TrainingPairs, labelled_pairs

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Retriever:
    """An encoder on a collection; embeddings are computed on first access.

    Attributes:
        name: name in figures and tables.
        encoder: the encoder, trained anywhere.
        collection: documents, queries, judgements.
        tokens: tokens of the collection by the encoder's tokenizer.
        reader: what embeds the texts, where a part of the encoder does so from stored states.
        entering: returns stored states that enter the last layer, from which gradients by it may begin; they
            are computed on first access.
    """

    name: str
    encoder: DualEncoder
    collection: Collection
    tokens: TokenStore
    reader: Reader | None = None
    entering: Callable[[], FrozenTexts | None] | None = None
    _queries: dict[str, Vectors] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def states(self) -> FrozenTexts | None:
        """What `entering` returns; none where there is none."""
        return None if self.entering is None else self.entering()

    @cached_property
    def documents(self) -> Vectors:
        """Embeddings of all documents, [N, dimension]."""
        return self._reader.documents()

    def queries(self, split: str) -> Vectors:
        """Return embeddings of the queries of a split, [Q, dimension].

        Raises:
            UserError: no such split.
        """
        self._refuse_unknown(split)
        if split not in self._queries:
            self._queries[split] = self._reader.queries(split)
        return self._queries[split]

    @property
    def _reader(self) -> Reader:
        return self.reader or Reader(self.encoder, self.tokens)

    def candidates(
        self,
        split: str = "train",
        *,
        k: int,
        source: Any = "top-k",
        mask: str = "labelled",
        queries: Sequence[int] | None = None,
        seed: int = 0,
    ) -> Candidates:
        """Mine candidates as a refresh does, with this retriever, for the labelled pairs of any split.

        Args:
            split: split of the pairs (a query and one of its labelled positives, a row each).
            k: candidates per row.
            source: candidate source, as a spec writes it.
            mask: documents that are excluded, see :meth:`TrainingPairs.masked_at`.
            queries: numbers of the queries whose pairs are mined; all by default.
            seed: seed for sources that draw.

        Raises:
            UserError: no such split, no labelled pair, or `k` exceeds the documents of a row.
        """
        embedded, pairs = self.queries(split), self.pairs(split)
        rows = np.arange(len(pairs.pairs))
        if queries is not None:
            rows = rows[np.isin(pairs.pairs[:, 0], np.asarray(queries))]
        if not len(rows):
            raise UserError(f"no query of '{split}' has a labelled positive", where=self.collection.name)
        masked = [pairs.masked_at(int(row), mask) for row in rows]
        self._refuse_beyond(k, masked)
        texts, chosen = self.collection.queries[split].texts, pairs.pairs[rows]

        def lexical(depth: int) -> tuple[npt.NDArray[np.float32], Integers]:
            scores, numbers = bm25_search(self.collection.documents, texts, depth)
            return scores[chosen[:, 0]], numbers[chosen[:, 0]]

        miner = Miner(
            source=make_source(source),
            k=k,
            pairs=chosen,
            masked=masked,
            query_ids=self.collection.queries[split].ids,
            document_number=self.collection.number,
            lexical=lexical,
        )
        return miner.mine(embedded, self.documents, model=self.encoder.fingerprint(), seed=seed)

    def pairs(self, split: str) -> TrainingPairs:
        """Return the labelled pairs of a split, with the known judgements of their queries.

        Raises:
            UserError: no such split.
        """
        self._refuse_unknown(split)
        return labelled_pairs(self.collection, split)

    def _refuse_unknown(self, split: str) -> None:
        known = self.collection.queries
        if split not in known:
            raise UserError(f"{self.collection.name} has no queries '{split}'", fix=nearest(split, known))

    def _refuse_beyond(self, k: int, masked: Sequence[Integers]) -> None:
        most = len(self.collection.documents) - max(map(len, masked))
        if k > most:
            raise UserError(
                f"rank {k} is asked for, and only {most} documents are left beside a query's positives",
                where=self.collection.name,
                fix=f"ask for at most {most}",
            )
