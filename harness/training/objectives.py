"""What retriever and ranker are trained on: from training pairs and their passages to a loss."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from harness.collections.tokens import TokenStore
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.ranker import Ranker
from harness.training.batches import TrainingPairs
from harness.training.forward import Numbers, QueryBatch
from harness.training.forward_ranker import score_lists
from harness.training.losses.loss import Loss
from harness.training.losses.scores import Scores
from harness.training.losses.sum import total_and_terms
from harness.training.topologies.topology import Scorer

Objective = tuple[Tensor, dict[str, float]]
"""A loss to minimise, and what is logged of it."""


@dataclass(frozen=True)
class Lists:
    """Scores lists of passages by a ranker.

    Attributes:
        ranker: which.
        tokens: of the collection.
        pairs: labelled training pairs.
        pair_tokens: tokens of a pair at most.
    """

    ranker: Ranker
    tokens: TokenStore
    pairs: TrainingPairs
    pair_tokens: int

    def scores(self, rows: Numbers, passage: Numbers) -> Tensor:
        """Score the queries of pairs [B] against their passages [B, C], [B, C] with gradient."""
        query = self.pairs.pairs[rows, 0]
        return score_lists(self.ranker, self.tokens, query, passage, pair_tokens=self.pair_tokens)

    def teach(self, rows: Numbers, passage: Numbers) -> Tensor:
        """Return the scores without dropout and gradient."""
        self.ranker.eval()
        with torch.no_grad():
            return self.scores(rows, passage)


@dataclass(frozen=True)
class RankerObjective:
    """A ranker's loss over a positive and its negatives.

    Attributes:
        lists: the ranker and what it reads.
        loss: over its scores.
    """

    lists: Lists
    loss: Loss

    def __call__(self, rows: Numbers, passage: Numbers) -> Objective:
        """Return the loss of pairs [B] with passages [B, 1 + n], the positive first."""
        scores = self.lists.scores(rows, passage)
        target = torch.zeros(len(rows), dtype=torch.int64, device=scores.device)
        return _seen(self.loss, Scores(scores, target))


@dataclass(frozen=True)
class RetrieverObjective:
    """A retriever's loss over what its topology counts.

    Attributes:
        encoder: the retriever.
        tokens: of the collection.
        pairs: labelled training pairs.
        scorer: of the topology, which says whose passages count.
        mask: what does not count against a query.
        loss: over the scores.
        teacher: whose scores a loss may need; of a query's own passages alone.
    """

    encoder: DualEncoder
    tokens: TokenStore
    pairs: TrainingPairs
    scorer: Scorer
    mask: str
    loss: Loss
    teacher: Lists | None = None

    def __call__(self, rows: Numbers, passage: Numbers) -> Objective:
        """Return the loss of pairs [B] with passages [B, 1 + n], the positive first."""
        scores = self.scorer.scores(self._batch(rows, passage))
        if self.teacher is None or not self.loss.needs_teacher:
            return _seen(self.loss, scores)
        scores = replace(scores, teacher=self.teacher.teach(rows, passage))
        loss, seen = _seen(self.loss, scores)
        return loss, seen | _agreement(scores)

    def _batch(self, rows: Numbers, passage: Numbers) -> QueryBatch:
        masked = [self.pairs.masked_at(row, self.mask) for row in rows]
        return QueryBatch(self.encoder, self.tokens, self.pairs.pairs[rows, 0], passage, masked)


def _seen(loss: Loss, scores: Scores) -> Objective:
    """Return a loss, and what is logged of it: its terms where there are several, how often it is right."""
    total, terms = total_and_terms(loss, scores)
    by_term = {f"loss/{name}": value.item() for name, value in terms.items()} if len(terms) > 1 else {}
    first = (scores.scores.argmax(dim=1) == scores.target).float().mean()
    return total, {"positive_first": first.item(), **by_term}


def _agreement(scores: Scores) -> dict[str, float]:
    """Return how often the teacher puts the positive first, and how often both put the same passage first."""
    best = scores.ranker.argmax(dim=1)
    right, same = best == scores.target, best == scores.scores.argmax(dim=1)
    return {"teacher_first": right.float().mean().item(), "agreement": same.float().mean().item()}


def counted_false_negatives(pairs: TrainingPairs, rows: Numbers, drawn: Numbers) -> dict[str, float]:
    """Return how many of the drawn documents [B, n] are known to be relevant, and how many there are."""
    known = sum(
        int(np.isin(some, pairs.known_relevant[row]).sum()) for row, some in zip(rows, drawn, strict=True)
    )
    return {"known_relevant_drawn": float(known), "drawn": float(drawn.size)}
