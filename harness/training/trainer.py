"""The trainer: one phase of training, resumable at any checkpoint, bit for bit on one machine.

One machine of (phase, step) serves retriever and ranker: at each step it is the turn of one of them. Three
clocks: a refresh mines candidates, a draw takes negatives from them at each visit of a query, a step changes
weights. All randomness is a function of (seed, step), so nothing random needs saving.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from harness.collections.tokens import Texts
from harness.encoders.dual_encoder import TwoTowers
from harness.encoders.flops import matrix_rate
from harness.encoders.precision import products
from harness.encoders.ranker import Ranker
from harness.errors import RunError
from harness.retrieval.ranks import ALONE, Deal, Ranks
from harness.retrieval.rerank import PairTexts
from harness.retrieval.timeline import Timeline, measured, part
from harness.storage.stopping import StoppedBySignal, not_within
from harness.training.batches import Batch, TrainingPairs, batch_at
from harness.training.checkpoints import latest_checkpoint, save_checkpoint
from harness.training.forward import Numbers, Passing
from harness.training.learner import Learner
from harness.training.losses.loss import Loss
from harness.training.memory import memory_told, smaller
from harness.training.not_finite import DUMP, NotFiniteError, written_down
from harness.training.objectives import (
    Lists,
    Objective,
    RankerObjective,
    RetrieverObjective,
    counted,
)
from harness.training.phase_inputs import Negatives, RankerInTraining
from harness.training.protocols import Rates, TrainedPhase, Writer
from harness.training.rounds import Rounds, Watch, watch_nothing
from harness.training.stopwatch import Stopwatch
from harness.training.turns import RetrieverAlone, Turns, Who, steps_before, who_at

TOPOLOGY, RANKER = "queue.", "ranker."
"""What the names of a topology's and of a ranker's tensors in a checkpoint begin with.

The queue was once the only topology with tensors; by another name, runs of then could not be resumed.
"""

PREFIX: dict[Who, str] = {"retriever": "", "ranker": RANKER}
"""What the names of a learner's tensors in a checkpoint begin with."""

CHECKPOINTS_A_PHASE = 8
"""Checkpoints of a phase without refreshes; phases with refreshes save at each of those."""


@dataclass
class Trainer:
    """One phase of training.

    Attributes:
        encoder: the retriever, or the part of it that is trained, in place unless all turns are the ranker's.
        texts: of the collection, as the retriever reads them.
        tokens: of the collection, or states in their place, as a ranker reads them.
        pairs: labelled training pairs.
        name: of the phase, as it is logged.
        phase: steps, batch, and the retriever's rates.
        loss: the retriever's, over the scores of a query's positive and negatives.
        seed: of order, dropout and draws.
        writer: where it is recorded; its folder holds checkpoints and candidates.
        negatives: what queries are trained against.
        ranker: a ranker, where there is one.
        watch: looks at the encoder at each refresh.
        advance: called after each step, for progress.
        ranks: that all run this phase; rank 0 alone records, mines and is watched.
        recompute: whether a step keeps a bucket's rows alone, and computes what leads to them twice.
        note: called after each step with what it tells of its speed.
    """

    encoder: TwoTowers[Any]
    texts: Texts
    tokens: PairTexts
    pairs: TrainingPairs
    name: str
    phase: TrainedPhase
    loss: Loss
    seed: int
    writer: Writer
    negatives: Negatives = field(default_factory=Negatives)
    ranker: RankerInTraining | None = None
    watch: Watch = watch_nothing
    advance: Callable[[int], None] = lambda done: None
    ranks: Ranks = ALONE
    recompute: bool = False
    note: Callable[[str], None] = lambda text: None

    def run(self) -> None:
        """Train from the latest checkpoint to the last step."""
        done = saved = self._resume()
        self.advance(done)
        if self.ranks.first:
            (self.writer.folder / DUMP).unlink(missing_ok=True)
        shared = None if self.ranks.count == 1 else self.ranks.any
        within = False
        try:
            for step in range(done, self.phase.steps):
                if self._rounds is not None:
                    self._rounds.reach(step)
                within = True
                with not_within(shared):
                    with memory_told(self.name, smaller(self.phase.batch, self.phase.places)):
                        self._step(step)
                    done = step + 1
                    self.advance(done)
                    if done % self._interval() == 0 or done == self.phase.steps:
                        self._save(done)
                        saved = done
                within = False
        except StoppedBySignal:
            if done > saved and (within or shared is None):  # else the others are at something else
                self._save(done)
            raise
        self.encoder.eval()
        if self.ranker is not None:
            self.ranker.ranker.eval()

    def _save(self, done: int) -> None:
        def save() -> None:
            self.writer.settle()
            save_checkpoint(self._checkpoints, done, self._tensors(), self._optimizers())

        self.ranks.alone(save)

    @cached_property
    def _learners(self) -> dict[Who, Learner]:
        """Those who take a step at all."""
        phase, length = self.phase, self._round_length()
        models: dict[Who, tuple[TwoTowers[Any] | Ranker, Rates]] = {"retriever": (self.encoder, phase)}
        if self.ranker is not None and self.ranker.rates is not None:
            models["ranker"] = (self.ranker.ranker, self.ranker.rates)
        return {
            who: Learner(
                self._name_of(who), model, rates, self._turns.scheduled(who, phase.steps, length), self.ranks
            )
            for who, (model, rates) in models.items()
            if steps_before(self._turns, who, phase.steps, length)
        }

    def _scheduled(self, who: Who) -> int:
        """Return the steps that the schedule of a learner's rate is made for."""
        return self._turns.scheduled(who, self.phase.steps, self._round_length())

    @cached_property
    def _rounds(self) -> Rounds | None:
        """The candidates that negatives are drawn from; none where none are."""
        drawn, length = self.negatives.drawn, self._round_length()
        if drawn is None:
            return None
        of = (self.name, length, drawn, self.encoder, self.texts, self.seed, self._visited, self.writer)
        return Rounds(*of, self.watch, self.ranks)

    def _visited(self, steps: range) -> Numbers:
        """Return the numbers of the training pairs that some steps visit, as far as the phase has them."""
        pairs, last = len(self.pairs.pairs), self.phase.steps
        rows = [batch_at(step, self.phase.batch, pairs, self.seed).rows for step in steps if step < last]
        return np.concatenate(rows)

    @cached_property
    def _lists(self) -> Lists | None:
        if self.ranker is None:
            return None
        return Lists(self.ranker.ranker, self.tokens, self.pairs, self.ranker.pair_tokens)

    @cached_property
    def _retriever(self) -> RetrieverObjective:
        scorer, mask = self.negatives.topology.scorer(self.encoder), self.negatives.mask
        of = (self.encoder, self.texts, self.pairs, scorer, mask, self.loss, self._lists)
        return RetrieverObjective(*of)

    @property
    def _turns(self) -> Turns:
        return RetrieverAlone() if self.ranker is None else self.ranker.turns

    @property
    def _checkpoints(self) -> Path:
        return self.writer.folder / "checkpoints"

    def _name_of(self, who: Who) -> str:
        return self.name if who in {"retriever", self.name} else f"{self.name} {who}"

    def _interval(self) -> int:
        return self.phase.refresh or max(1, self.phase.steps // CHECKPOINTS_A_PHASE)

    def _round_length(self) -> int:
        return self.phase.refresh or self.phase.steps

    def _resume(self) -> int:
        checkpoint = latest_checkpoint(self._checkpoints)
        if checkpoint is not None:
            for who, learner in self._learners.items():
                learner.model.load_weights(_below(checkpoint.weights, PREFIX[who]))
                learner.optimizer.load_state_dict(checkpoint.optimizer[who])
            self._retriever.scorer.load_state(_below(checkpoint.weights, TOPOLOGY))
        begin = 0 if checkpoint is None else checkpoint.step
        self._refuse_different(begin)
        return begin

    def _refuse_different(self, begin: int) -> None:
        """Refuse ranks that would go on from different states."""
        if self.ranks.count > 1:
            self.ranks.refuse_different(begin, "checkpoints")
            for learner in self._learners.values():
                self.ranks.refuse_different(learner.model.fingerprint(), "weights")

    def _tensors(self) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {}
        for who, learner in self._learners.items():
            tensors |= _above(learner.model.weights(), PREFIX[who])
        return tensors | _above(self._retriever.scorer.state(), TOPOLOGY)

    def _optimizers(self) -> dict[str, Any]:
        return {who: learner.optimizer.state_dict() for who, learner in self._learners.items()}

    def _step(self, step: int) -> None:
        who = who_at(self._turns, step, self._round_length())
        learner, watch = self._learners[who], Stopwatch()
        learner.model.train()
        device = next(learner.model.parameters()).device
        with watch.timing("seconds"), measured(device) as line:
            with part("data"):
                batch = batch_at(step, self.phase.batch, len(self.pairs.pairs), self.seed)
                passage, counts = self._passages(batch, watch)
            passing = self._passing(step)
            with part("forward"):
                loss, seen = self._objective(who)(batch.rows, passage, passing)
            own_step = steps_before(self._turns, who, step, self._round_length())
            try:
                with products(self.phase.precision):
                    taken = learner.update(loss, own_step)
            except NotFiniteError as error:
                raise self._written_down(error, step, batch, passage) from error
        speed = self._speed(line, len(batch.rows), watch.seconds["seconds"])
        self.writer.log(learner.name, step + 1, **taken, **seen, **counts, **watch.seconds, **speed)

    def _speed(self, line: Timeline, queries: int, seconds: float) -> dict[str, float]:
        """Return what a step tells of its speed, and note it."""
        if not self.ranks.first:
            return {}
        ideal = line.flops / matrix_rate(line.device, self.phase.precision) / self.ranks.count
        told = {"tokens": float(line.tokens), **line.seconds(), "seconds_at_matrix_rate": ideal}
        if seconds <= 0:
            return told
        rates = {"tokens_per_second": line.tokens / seconds, "queries_per_second": queries / seconds}
        self.note(f"{rates['tokens_per_second']:,.0f} tokens/s, {ideal / seconds:.0%} of the matrix rate")
        return told | rates

    def _passing(self, step: int) -> Passing:
        deal = Deal(self.ranks, self.recompute)
        return Passing(self.seed, step, self.phase.places, self.phase.precision, deal)

    def _written_down(self, error: NotFiniteError, step: int, batch: Batch, passage: Numbers) -> RunError:
        query = self.pairs.pairs[batch.rows, 0].tolist()
        queries = [self.pairs.query_ids[number] if self.pairs.query_ids else str(number) for number in query]
        about = {"passages": passage.tolist(), "seed": self.seed}
        folder = self.writer.folder if self.ranks.first else None
        return written_down(error, folder, step=step, queries=queries, **about)

    def _objective(self, who: Who) -> Callable[[Numbers, Numbers, Passing], Objective]:
        if who == "ranker" and self.ranker is not None and self._lists is not None:
            return RankerObjective(self._lists, self.ranker.loss)
        return self._retriever

    def _passages(self, batch: Batch, watch: Stopwatch) -> tuple[Numbers, dict[str, float]]:
        """Return the positives and drawn negatives of a batch, [B, 1 + n], and what was counted of them."""
        positive = self.pairs.pairs[batch.rows, 1:]
        if self._rounds is None:
            return positive, {}
        with watch.timing("seconds_drawing"):
            draws = self._rounds.draw(batch)
        passages = np.concatenate([positive, draws.document], axis=1)
        return passages, counted(self.pairs, batch.rows, draws)


def _above(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return tensors with a prefix before their names."""
    return {f"{prefix}{name}": value for name, value in tensors.items()}


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors of a prefix without it; without any, those that have none."""
    if prefix:
        return {n.removeprefix(prefix): value for n, value in tensors.items() if n.startswith(prefix)}
    return {name: value for name, value in tensors.items() if not name.startswith((TOPOLOGY, RANKER))}
