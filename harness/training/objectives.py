"""What retriever and ranker are trained on: from training pairs and their passages to a loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from harness.collections.tokens import Texts
from harness.encoders.dual_encoder import TwoTowers
from harness.encoders.ranker import Ranker
from harness.negatives.candidates import Draws
from harness.retrieval.rerank import PairTexts
from harness.training.batches import TrainingPairs
from harness.training.forward import AS_IT_IS, Numbers, Passing, QueryBatch
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
        texts: what it reads of the collection.
        pairs: labelled training pairs.
        pair_tokens: tokens of a pair at most.
    """

    ranker: Ranker
    texts: PairTexts
    pairs: TrainingPairs
    pair_tokens: int

    def scores(self, rows: Numbers, passage: Numbers, passing: Passing = AS_IT_IS) -> Tensor:
        """Score the queries of pairs [B] against their passages [B, C], [B, C] with gradient."""
        query, longest = self.pairs.pairs[rows, 0], self.pair_tokens
        return score_lists(self.ranker, self.texts, query, passage, pair_tokens=longest, passing=passing)

    def teach(self, rows: Numbers, passage: Numbers, passing: Passing = AS_IT_IS) -> Tensor:
        """Return the scores without dropout and gradient."""
        self.ranker.eval()
        with torch.no_grad():
            return self.scores(rows, passage, passing)


@dataclass(frozen=True)
class RankerObjective:
    """A ranker's loss over a positive and its negatives.

    Attributes:
        lists: the ranker and what it reads.
        loss: over its scores.
    """

    lists: Lists
    loss: Loss

    def __call__(self, rows: Numbers, passage: Numbers, passing: Passing = AS_IT_IS) -> Objective:
        """Return the loss of pairs [B] with passages [B, 1 + n], the positive first."""
        scores = self.lists.scores(rows, passage, passing)
        target = torch.zeros(len(rows), dtype=torch.int64, device=scores.device)
        return _seen(self.loss, Scores(scores, target))


@dataclass(frozen=True)
class RetrieverObjective:
    """A retriever's loss over what its topology counts.

    Attributes:
        encoder: the retriever, or the part of it that is trained.
        texts: of the collection, as it reads them.
        pairs: labelled training pairs.
        scorer: of the topology, which says whose passages count.
        mask: what does not count against a query.
        loss: over the scores.
        teacher: whose scores a loss may need; of a query's own passages alone.
    """

    encoder: TwoTowers[Any]
    texts: Texts
    pairs: TrainingPairs
    scorer: Scorer
    mask: str
    loss: Loss
    teacher: Lists | None = None

    def __call__(self, rows: Numbers, passage: Numbers, passing: Passing = AS_IT_IS) -> Objective:
        """Return the loss of pairs [B] with passages [B, 1 + n], the positive first."""
        scores = self.scorer.scores(self._batch(rows, passage, passing))
        if self.teacher is None or not self.loss.needs_teacher:
            return _seen(self.loss, scores)
        scores = replace(scores, teacher=self.teacher.teach(rows, passage, passing))
        loss, seen = _seen(self.loss, scores)
        return loss, seen | _agreement(scores)

    def _batch(self, rows: Numbers, passage: Numbers, passing: Passing) -> QueryBatch:
        masked = [self.pairs.masked_at(row, self.mask) for row in rows]
        return QueryBatch(self.encoder, self.texts, self.pairs.pairs[rows, 0], passage, masked, passing)


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


def counted(pairs: TrainingPairs, rows: Numbers, draws: Draws) -> dict[str, float]:
    """Return what is counted of the draws of a step's pairs [B].

    Returns:
        ``drawn``, how many documents there are; ``known_relevant_drawn``, how many of them are known to be
        relevant; ``filled``, how many come from the law's fills or repeat an earlier one;
        ``unlabelled_known``, how many documents are known to be relevant and not labelled, and
        ``unlabelled_drawn``, how many of those are drawn, each counted once.
    """
    relevant = unlabelled = found = 0
    for row, drawn in zip(rows, draws.document.tolist(), strict=True):
        known, hidden = set(pairs.known_relevant[row].tolist()), pairs.unlabelled_at(row).tolist()
        relevant += sum(map(known.__contains__, drawn))
        found += len(set(drawn).intersection(hidden))
        unlabelled += len(hidden)
    return {
        "known_relevant_drawn": float(relevant),
        "drawn": float(draws.document.size),
        "filled": float(draws.filled.sum() + draws.tiled.sum()),
        "unlabelled_drawn": float(found),
        "unlabelled_known": float(unlabelled),
    }
