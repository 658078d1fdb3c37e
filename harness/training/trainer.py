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
import numpy.typing as npt
from torch import Tensor

from harness.collections.tokens import Texts
from harness.encoders.dual_encoder import TwoTowers
from harness.encoders.ranker import Ranker
from harness.errors import RunError
from harness.negatives.candidates import Candidates
from harness.negatives.mining import load_candidates, save_candidates
from harness.negatives.noise import Noise
from harness.negatives.sampler import diagnose
from harness.retrieval.encode import encode
from harness.retrieval.rerank import PairTexts
from harness.storage.stopping import StoppedBySignal, not_within
from harness.training.batches import Batch, TrainingPairs, batch_at, sampled_pairs
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
from harness.training.phase_inputs import Drawn, Negatives, RankerInTraining
from harness.training.protocols import Rates, TrainedPhase, Writer
from harness.training.stopwatch import Stopwatch
from harness.training.turns import RetrieverAlone, Turns, Who, steps_before, who_at

DIAGNOSED_PAIRS = 1000
"""Training pairs whose candidates are looked at each round, a sample that is the same in every run."""

TOPOLOGY, RANKER = "queue.", "ranker."
"""What the names of a topology's and of a ranker's tensors in a checkpoint begin with.

The queue was once the only topology with tensors; by another name, runs of then could not be resumed.
"""

PREFIX: dict[Who, str] = {"retriever": "", "ranker": RANKER}
"""What the names of a learner's tensors in a checkpoint begin with."""

CHECKPOINTS_A_PHASE = 8
"""Checkpoints of a phase without refreshes; phases with refreshes save at each of those."""


Watch = Callable[[int, TwoTowers[Any], npt.NDArray[np.float32]], dict[str, float]]
"""Called at each refresh with step, encoder and all documents' embeddings; returns metrics of ``dev``."""


def watch_nothing(step: int, encoder: TwoTowers[Any], documents: npt.NDArray[np.float32]) -> dict[str, float]:
    """Return no metrics."""
    return {}


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
    _candidates: Candidates | None = field(default=None, init=False)
    _round: int = field(default=-1, init=False)

    def run(self) -> None:
        """Train from the latest checkpoint to the last step."""
        done = saved = self._resume()
        self.advance(done)
        (self.writer.folder / DUMP).unlink(missing_ok=True)
        try:
            for step in range(done, self.phase.steps):
                if self.negatives.drawn is not None and self._round_of(step) != self._round:
                    self._refresh(step, self.negatives.drawn)
                with not_within():
                    with memory_told(self.name, smaller(self.phase.batch, self.phase.places)):
                        self._step(step)
                    done = step + 1
                    self.advance(done)
                    if done % self._interval() == 0 or done == self.phase.steps:
                        self._save(done)
                        saved = done
        except StoppedBySignal:
            if done > saved:
                self._save(done)
            raise
        self.encoder.eval()
        if self.ranker is not None:
            self.ranker.ranker.eval()

    def _save(self, done: int) -> None:
        self.writer.settle()
        save_checkpoint(self._checkpoints, done, self._tensors(), self._optimizers())

    @cached_property
    def _learners(self) -> dict[Who, Learner]:
        """Those who take a step at all."""
        phase, length = self.phase, self._round_length()
        models: dict[Who, tuple[TwoTowers[Any] | Ranker, Rates]] = {"retriever": (self.encoder, phase)}
        if self.ranker is not None and self.ranker.rates is not None:
            models["ranker"] = (self.ranker.ranker, self.ranker.rates)
        return {
            who: Learner(self._name_of(who), model, rates, self._turns.scheduled(who, phase.steps, length))
            for who, (model, rates) in models.items()
            if steps_before(self._turns, who, phase.steps, length)
        }

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

    def _round_of(self, step: int) -> int:
        return step // self._round_length()

    def _resume(self) -> int:
        checkpoint = latest_checkpoint(self._checkpoints)
        if checkpoint is None:
            return 0
        for who, learner in self._learners.items():
            learner.model.load_weights(_below(checkpoint.weights, PREFIX[who]))
            learner.optimizer.load_state_dict(checkpoint.optimizer[who])
        self._retriever.scorer.load_state(_below(checkpoint.weights, TOPOLOGY))
        return checkpoint.step

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
        with watch.timing("seconds"):
            batch = batch_at(step, self.phase.batch, len(self.pairs.pairs), self.seed)
            passage, counts = self._passages(batch, watch)
            passing = Passing(self.seed, step, self.phase.places, self.phase.precision)
            loss, seen = self._objective(who)(batch.rows, passage, passing)
            own_step = steps_before(self._turns, who, step, self._round_length())
            try:
                taken = learner.update(loss, own_step)
            except NotFiniteError as error:
                raise self._written_down(error, step, batch, passage) from error
        self.writer.log(learner.name, step + 1, **taken, **seen, **counts, **watch.seconds)

    def _written_down(self, error: NotFiniteError, step: int, batch: Batch, passage: Numbers) -> RunError:
        query = self.pairs.pairs[batch.rows, 0].tolist()
        queries = [self.pairs.query_ids[number] if self.pairs.query_ids else str(number) for number in query]
        about = {"passages": passage.tolist(), "seed": self.seed}
        return written_down(error, self.writer.folder, step=step, queries=queries, **about)

    def _objective(self, who: Who) -> Callable[[Numbers, Numbers, Passing], Objective]:
        if who == "ranker" and self.ranker is not None and self._lists is not None:
            return RankerObjective(self._lists, self.ranker.loss)
        return self._retriever

    def _passages(self, batch: Batch, watch: Stopwatch) -> tuple[Numbers, dict[str, float]]:
        """Return the positives and drawn negatives of a batch, [B, 1 + n], and what was counted of them."""
        positive = self.pairs.pairs[batch.rows, 1:]
        if self.negatives.drawn is None or self._candidates is None:
            return positive, {}
        noise = Noise(self.seed, self._round, batch.visit)
        with watch.timing("seconds_drawing"):
            draws = self.negatives.drawn.sampler(self._candidates.rows(batch.rows), noise)
        passages = np.concatenate([positive, draws.document], axis=1)
        return passages, counted(self.pairs, batch.rows, draws)

    def _refresh(self, step: int, drawn: Drawn) -> None:
        """Take or mine the candidates of the step's round."""
        number = self._round_of(step)
        path = self._candidates_path(number)
        if number == 0:
            candidates = drawn.first
        elif path.exists():
            candidates = self._saved(number)
        else:
            candidates = self._mine(step, number, drawn)
            self.writer.settle()  # a round that is there is not mined, and not watched, again
            save_candidates(candidates, path, self._whose(number))
            # The round before stays, so that this one can be mined again from it, should its file be lost.
            for old in path.parent.glob("round-*.npz"):
                if old not in (path, self._candidates_path(number - 1)):
                    old.unlink()
        self._candidates, self._round = candidates, number
        if step % self._round_length():  # resumed within a round, whose line is there
            return
        shown = sampled_pairs(DIAGNOSED_PAIRS, len(self.pairs.pairs))
        noise = Noise(self.seed, number, np.zeros(len(shown), dtype=np.int64))
        seen = diagnose(drawn.sampler, candidates.rows(shown), noise)
        self.writer.log(f"{self.name} refresh", step, **seen)

    def _saved(self, number: int) -> Candidates:
        return load_candidates(self._candidates_path(number), self._whose(number))

    def _whose(self, number: int) -> str:
        return f"{self.writer.folder.name}, round {number}"

    def _candidates_path(self, number: int) -> Path:
        return self.writer.folder / "candidates" / f"round-{number:04d}.npz"

    def _mine(self, step: int, number: int, drawn: Drawn) -> Candidates:
        texts, pad, watch = self.texts, self.texts.pad, Stopwatch()
        with watch.timing("seconds_encoding"):
            documents = encode(self.encoder.passage, texts.documents, pad)
            queries = encode(self.encoder.query, texts.queries["train"], pad)
        with watch.timing("seconds_watching"):
            watched = self.watch(step, self.encoder, documents)
        self.writer.log(f"{self.name} dev", step, **watched)
        before = self._candidates
        if before is None:  # resumed between two rounds
            before = drawn.first if number == 1 else self._saved(number - 1)
        with watch.timing("seconds_mining"):
            mined = drawn.miner.mine(
                queries,
                documents,
                model=self.encoder.fingerprint(),
                seed=self.seed,
                round=number,
                previous=before,
                similarity=watch.timing("seconds_similarity"),
            )
        self.writer.log(f"{self.name} mining", step, **watch.seconds)
        return mined


def _above(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return tensors with a prefix before their names."""
    return {f"{prefix}{name}": value for name, value in tensors.items()}


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors of a prefix without it; without any, those that have none."""
    if prefix:
        return {n.removeprefix(prefix): value for n, value in tensors.items() if n.startswith(prefix)}
    return {name: value for name, value in tensors.items() if not name.startswith((TOPOLOGY, RANKER))}
