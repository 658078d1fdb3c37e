"""The trainer: one phase of a retriever's training, resumable at any checkpoint, bit for bit on one machine.

Three clocks: a refresh mines candidates, a draw takes negatives from them at each visit of a query, a step
changes the weights. All randomness is a function of (seed, step), so nothing random needs saving.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.collections.tokens import TokenStore
from harness.encoders.dual_encoder import DualEncoder
from harness.errors import UserError
from harness.negatives.candidates import Candidates
from harness.negatives.mining import Miner, load_candidates, save_candidates
from harness.negatives.noise import Noise, mixed
from harness.negatives.sampler import Sampler, diagnose
from harness.negatives.topologies.in_batch import InBatch
from harness.negatives.topologies.queue import Queue
from harness.negatives.topologies.topology import Topology
from harness.retrieval.encode import encode
from harness.training.batches import Batch, TrainingPairs, batch_at
from harness.training.checkpoints import latest_checkpoint, save_checkpoint
from harness.training.forward import (
    Numbers,
    Scores,
    embed_batch,
    embed_queries,
    own_scores,
    queue_scores,
    shared_scores,
)
from harness.training.losses import softmax_cross_entropy
from harness.training.protocols import Phase, Writer
from harness.training.queue import MomentumQueue
from harness.training.schedule import adamw, linear_schedule
from harness.training.stopwatch import Stopwatch

DIAGNOSED_PAIRS = 1000
"""Training pairs whose candidates are looked at each round, the first ones of the collection."""

QUEUE = "queue."
"""What the names of a queue's tensors in a checkpoint begin with."""

CHECKPOINTS_A_PHASE = 8
"""Checkpoints of a phase without refreshes; phases with refreshes save at each of those."""


@dataclass(frozen=True)
class Drawn:
    """How a phase draws negatives.

    Attributes:
        sampler: law and draw.
        miner: finds candidates at each refresh.
        first: candidates of round 0, shared between samplers.
    """

    sampler: Sampler
    miner: Miner
    first: Candidates


@dataclass(frozen=True)
class Negatives:
    """Which negatives a phase trains against; by default the other queries' positives.

    Attributes:
        topology: whose passages count.
        mask: what does not count against a query: ``labelled``, ``known-relevant`` or ``positive-only``.
        drawn: a query's own negatives, where it has some.
    """

    topology: Topology = field(default_factory=InBatch)
    mask: str = "labelled"
    drawn: Drawn | None = None


def _nothing(step: int, encoder: DualEncoder, documents: npt.NDArray[np.float32]) -> dict[str, float]:
    return {}


@dataclass
class Trainer:
    """One phase of training.

    Attributes:
        encoder: trained in place.
        tokens: of the collection.
        pairs: labelled training pairs.
        name: of the phase, as it is logged.
        phase: steps, batch, rates.
        temperature: of the softmax cross-entropy.
        seed: of order, dropout and draws.
        writer: where it is recorded; its folder holds checkpoints and candidates.
        negatives: what queries are trained against.
        watch: called with step, encoder and all documents' embeddings at each refresh; returns metrics.
        advance: called after each step, for progress.
    """

    encoder: DualEncoder
    tokens: TokenStore
    pairs: TrainingPairs
    name: str
    phase: Phase
    temperature: float
    seed: int
    writer: Writer
    negatives: Negatives = field(default_factory=Negatives)
    watch: Callable[[int, DualEncoder, npt.NDArray[np.float32]], dict[str, float]] = _nothing
    advance: Callable[[int], None] = lambda done: None
    _candidates: Candidates | None = field(default=None, init=False)
    _round: int = field(default=-1, init=False)
    _queue: MomentumQueue | None = field(default=None, init=False)

    def run(self) -> None:
        """Train from the latest checkpoint to the last step."""
        optimizer = adamw(self.encoder, self.phase.learning_rate, self.phase.weight_decay)
        topology = self.negatives.topology
        if isinstance(topology, Queue):
            self._queue = MomentumQueue(self.encoder.passage, topology.length, topology.momentum)
        begin = self._resume(optimizer)
        self.advance(begin)
        for step in range(begin, self.phase.steps):
            if self.negatives.drawn is not None and self._round_of(step) != self._round:
                self._refresh(step, self.negatives.drawn)
            self._step(step, optimizer)
            self.advance(step + 1)
            done = step + 1
            if done % self._interval() == 0 or done == self.phase.steps:
                self.writer.settle()
                save_checkpoint(self._checkpoints, done, self._tensors(), optimizer.state_dict())
        self.encoder.eval()

    @property
    def _checkpoints(self) -> Path:
        return self.writer.folder / "checkpoints"

    def _interval(self) -> int:
        return self.phase.refresh or max(1, self.phase.steps // CHECKPOINTS_A_PHASE)

    def _round_of(self, step: int) -> int:
        return step // self.phase.refresh if self.phase.refresh else 0

    def _resume(self, optimizer: torch.optim.Optimizer) -> int:
        checkpoint = latest_checkpoint(self._checkpoints)
        if checkpoint is None:
            return 0
        self.encoder.load_weights(checkpoint.weights)
        if self._queue is not None:
            of_queue = {k: v for k, v in checkpoint.weights.items() if k.startswith(QUEUE)}
            self._queue.load_state({k.removeprefix(QUEUE): v for k, v in of_queue.items()})
        optimizer.load_state_dict(checkpoint.optimizer)
        return checkpoint.step

    def _tensors(self) -> dict[str, Tensor]:
        queue = self._queue.state() if self._queue is not None else {}
        return self.encoder.weights() | {f"{QUEUE}{name}": value for name, value in queue.items()}

    def _step(self, step: int, optimizer: torch.optim.Optimizer) -> None:
        torch.manual_seed(int(mixed(self.seed, step)) >> 1)
        rate = self.phase.learning_rate * linear_schedule(step, self.phase.steps, self.phase.warm_up_share)
        for group in optimizer.param_groups:
            group["lr"] = rate
        self.encoder.train()
        watch = Stopwatch()
        with watch.timing("seconds"):
            batch = batch_at(step, self.phase.batch, len(self.pairs.pairs), self.seed)
            passage, counts = self._passages(batch, watch)
            scored = self._scores(batch, passage)
            loss = softmax_cross_entropy(scored.scores, scored.target, self.temperature)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            norm = torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), self.phase.clip_norm)
            if not torch.isfinite(loss):
                what = f"the loss is {loss.item()} at step {step}"
                raise UserError(what, where=self.name, fix="lower the learning rate")
            optimizer.step()
            first = (scored.scores.argmax(dim=1) == scored.target).float().mean()
            told = {"loss": loss.item(), "positive_first": first.item()}  # these wait for the device
        self.writer.log(
            self.name,
            step + 1,
            **told,
            learning_rate=rate,
            gradient_norm=norm.item(),
            **counts,
            **watch.seconds,
        )

    def _passages(self, batch: Batch, watch: Stopwatch) -> tuple[npt.NDArray[np.int64], dict[str, float]]:
        """Return the positives and drawn negatives of a batch, [B, 1 + n], and what was counted of them."""
        positive = self.pairs.pairs[batch.rows, 1:]
        if self.negatives.drawn is None or self._candidates is None:
            return positive, {}
        noise = Noise(self.seed, self._round, batch.visit)
        with watch.timing("seconds_drawing"):
            drawn = self.negatives.drawn.sampler(self._candidates.rows(batch.rows), noise).document
        return np.concatenate([positive, drawn], axis=1), self._count_false_negatives(batch, drawn)

    def _scores(self, batch: Batch, passage: npt.NDArray[np.int64]) -> Scores:
        topology, query = self.negatives.topology, self.pairs.pairs[batch.rows, 0]
        if self._queue is not None:
            return self._scores_with(self._queue, query, passage, self._masked(batch))
        q, p = embed_batch(self.encoder, self.tokens, query, passage)
        if not topology.shared:
            return own_scores(q, p)
        hardest = topology.hardest if isinstance(topology, InBatch) else None
        return shared_scores(q, p, passage, self._masked(batch), hardest)

    def _scores_with(
        self, queue: MomentumQueue, query: Numbers, passage: Numbers, masked: list[Numbers]
    ) -> Scores:
        """Score against the queue as it was before the batch, then add the batch's positives to it."""
        queue.follow()
        q, keys = embed_queries(self.encoder, self.tokens, query), queue.embed(self.tokens, passage)
        scored = queue_scores(own_scores(q, keys), q, queue.keys, queue.documents, masked)
        queue.push(keys[:, 0], passage[:, 0])
        return scored

    def _masked(self, batch: Batch) -> list[npt.NDArray[np.int64]]:
        return [self.pairs.masked_at(row, self.negatives.mask) for row in batch.rows]

    def _count_false_negatives(self, batch: Batch, drawn: npt.NDArray[np.int64]) -> dict[str, float]:
        known = sum(
            int(np.isin(some, self.pairs.known_relevant[row]).sum())
            for row, some in zip(batch.rows, drawn, strict=True)
        )
        return {"known_relevant_drawn": float(known), "drawn": float(drawn.size)}

    def _refresh(self, step: int, drawn: Drawn) -> None:
        """Take or mine the candidates of the step's round."""
        number = self._round_of(step)
        path = self._candidates_path(number)
        if number == 0:
            candidates = drawn.first
        elif path.exists():
            candidates = load_candidates(path)
        else:
            candidates = self._mine(step, number, drawn)
            self.writer.settle()  # a round that is there is not mined, and not watched, again
            save_candidates(candidates, path)
            # The round before stays, so that this one can be mined again from it, should its file be lost.
            for old in path.parent.glob("round-*.npz"):
                if old not in (path, self._candidates_path(number - 1)):
                    old.unlink()
        self._candidates, self._round = candidates, number
        shown = np.arange(min(DIAGNOSED_PAIRS, len(self.pairs.pairs)))
        noise = Noise(self.seed, number, np.zeros(len(shown), dtype=np.int64))
        seen = diagnose(drawn.sampler, candidates.rows(shown), noise)
        self.writer.log(f"{self.name} refresh", step, **seen)

    def _candidates_path(self, number: int) -> Path:
        return self.writer.folder / "candidates" / f"round-{number:04d}.npz"

    def _mine(self, step: int, number: int, drawn: Drawn) -> Candidates:
        tokens, pad, watch = self.tokens, self.tokens.pad, Stopwatch()
        with watch.timing("seconds_encoding"):
            documents = encode(self.encoder.passage, tokens.documents, pad)
            queries = encode(self.encoder.query, tokens.queries["train"], pad)
        with watch.timing("seconds_watching"):
            watched = self.watch(step, self.encoder, documents)
        self.writer.log(f"{self.name} dev", step, **watched)
        before = self._candidates
        if before is None:  # resumed between two rounds
            before = drawn.first if number == 1 else load_candidates(self._candidates_path(number - 1))
        with watch.timing("seconds_mining"):
            mined = drawn.miner.mine(
                queries,
                documents,
                model=self.encoder.fingerprint(),
                seed=self.seed,
                round=number,
                previous=before,
            )
        self.writer.log(f"{self.name} mining", step, **watch.seconds)
        return mined
