"""The trainer: one phase of a retriever's training, resumable at any checkpoint, bit for bit on one machine.

Three clocks: a refresh mines candidates, a draw takes negatives from them at each visit of a query, a step
changes the weights. All randomness is a function of (seed, step), so nothing random needs saving.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.collections.tokens import TokenStore
from harness.encoders.dual_encoder import DualEncoder
from harness.errors import UserError
from harness.negatives.candidates import Candidates
from harness.negatives.noise import Noise, mixed
from harness.negatives.sampler import Sampler, diagnose
from harness.retrieval.encode import encode
from harness.retrieval.mining import load_candidates, mine, save_candidates
from harness.training.batches import Batch, TrainingPairs, batch_at
from harness.training.checkpoints import latest_checkpoint, save_checkpoint
from harness.training.forward import drawn_scores, in_batch_scores
from harness.training.losses import softmax_cross_entropy
from harness.training.schedule import adamw, linear_schedule

DIAGNOSED_PAIRS = 1000
"""Training pairs whose candidates are looked at each round, the first ones of the collection."""

CHECKPOINTS_A_PHASE = 8
"""Checkpoints of a phase without refreshes; phases with refreshes save at each of those."""


class Writer(Protocol):
    """Where a training run is recorded; the trainer knows nothing else of records."""

    folder: Path

    def log(self, phase: str, step: int, **metrics: float) -> None:
        """Record metrics of a step."""
        ...


class Phase(Protocol):
    """The settings of a phase that the trainer reads (`harness.specs.settings.PhaseSettings`)."""

    @property
    def steps(self) -> int: ...  # noqa: D102
    @property
    def batch(self) -> int: ...  # noqa: D102
    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def weight_decay(self) -> float: ...  # noqa: D102
    @property
    def warm_up_share(self) -> float: ...  # noqa: D102
    @property
    def clip_norm(self) -> float: ...  # noqa: D102
    @property
    def refresh(self) -> int | None: ...  # noqa: D102


@dataclass(frozen=True)
class HardNegatives:
    """How a phase gets its negatives, where they are drawn.

    Attributes:
        sampler: law and draw.
        mask: what is kept out of the candidates: ``labelled`` or ``known-relevant``.
        depth: K.
        first: candidates of round 0, shared between samplers.
    """

    sampler: Sampler
    mask: str
    depth: int
    first: Candidates


def _nothing(encoder: DualEncoder, documents: npt.NDArray[np.float32]) -> dict[str, float]:
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
        negatives: hard negatives, or none for in-batch negatives.
        watch: called with the encoder and all documents' embeddings at each refresh; returns metrics.
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
    negatives: HardNegatives | None = None
    watch: Callable[[DualEncoder, npt.NDArray[np.float32]], dict[str, float]] = _nothing
    advance: Callable[[int], None] = lambda done: None
    _candidates: Candidates | None = field(default=None, init=False)
    _round: int = field(default=-1, init=False)

    def run(self) -> None:
        """Train from the latest checkpoint to the last step."""
        optimizer = adamw(self.encoder, self.phase.learning_rate, self.phase.weight_decay)
        begin = self._resume(optimizer)
        self.advance(begin)
        for step in range(begin, self.phase.steps):
            if self.negatives is not None and self._round_of(step) != self._round:
                self._refresh(step)
            self._step(step, optimizer)
            self.advance(step + 1)
            done = step + 1
            if done % self._interval() == 0 or done == self.phase.steps:
                save_checkpoint(self._checkpoints, done, self.encoder.weights(), optimizer.state_dict())
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
        optimizer.load_state_dict(checkpoint.optimizer)
        return checkpoint.step

    def _step(self, step: int, optimizer: torch.optim.Optimizer) -> None:
        torch.manual_seed(int(mixed(self.seed, step)) >> 1)
        rate = self.phase.learning_rate * linear_schedule(step, self.phase.steps, self.phase.warm_up_share)
        for group in optimizer.param_groups:
            group["lr"] = rate
        self.encoder.train()
        batch = batch_at(step, self.phase.batch, len(self.pairs.pairs), self.seed)
        scores, target, counts = self._scores(batch)
        loss = softmax_cross_entropy(scores, target, self.temperature)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), self.phase.clip_norm)
        if not torch.isfinite(loss):
            raise UserError(
                f"the loss is {loss.item()} at step {step}", where=self.name, fix="lower the learning rate"
            )
        optimizer.step()
        first = (scores.argmax(dim=1) == target).float().mean()
        self.writer.log(
            self.name,
            step + 1,
            loss=loss.item(),
            positive_first=first.item(),
            learning_rate=rate,
            gradient_norm=norm.item(),
            **counts,
        )

    def _scores(self, batch: Batch) -> tuple[Tensor, Tensor, dict[str, float]]:
        query, positive = self.pairs.pairs[batch.rows].T
        queries, documents, pad = self.tokens.queries["train"], self.tokens.documents, self.tokens.pad
        if self.negatives is None or self._candidates is None:
            labelled = [self.pairs.labelled[row] for row in batch.rows]
            scores, target = in_batch_scores(self.encoder, queries, documents, pad, query, positive, labelled)
            return scores, target, {}
        noise = Noise(self.seed, self._round, batch.visit)
        draws = self.negatives.sampler(self._candidates.rows(batch.rows), noise)
        passage = np.concatenate([positive[:, None], draws.document], axis=1)
        scores, target = drawn_scores(self.encoder, queries, documents, pad, query, passage)
        return scores, target, self._count_false_negatives(batch, draws.document)

    def _count_false_negatives(self, batch: Batch, drawn: npt.NDArray[np.int64]) -> dict[str, float]:
        known = sum(
            int(np.isin(some, self.pairs.known_relevant[row]).sum())
            for row, some in zip(batch.rows, drawn, strict=True)
        )
        return {"known_relevant_drawn": float(known), "drawn": float(drawn.size)}

    def _refresh(self, step: int) -> None:
        """Take or mine the candidates of the step's round."""
        negatives = self.negatives
        if negatives is None:
            return
        number = self._round_of(step)
        path = self.writer.folder / "candidates" / f"round-{number:04d}.npz"
        if number == 0:
            candidates = negatives.first
        elif path.exists():
            candidates = load_candidates(path)
        else:
            candidates = self._mine(step, negatives)
            save_candidates(candidates, path)
            for old in path.parent.glob("round-*.npz"):
                if old != path:
                    old.unlink()
        self._candidates, self._round = candidates, number
        shown = np.arange(min(DIAGNOSED_PAIRS, len(self.pairs.pairs)))
        noise = Noise(self.seed, number, np.zeros(len(shown), dtype=np.int64))
        self.writer.log(
            f"{self.name} refresh", step, **diagnose(negatives.sampler, candidates.rows(shown), noise)
        )

    def _mine(self, step: int, negatives: HardNegatives) -> Candidates:
        tokens, pad = self.tokens, self.tokens.pad
        documents = encode(self.encoder.passage, tokens.documents, pad)
        self.writer.log(f"{self.name} dev", step, **self.watch(self.encoder, documents))
        return mine(
            pairs=self.pairs.pairs,
            queries=encode(self.encoder.query, tokens.queries["train"], pad),
            documents=documents,
            masked=self.pairs.masked(negatives.mask),
            k=negatives.depth,
            model=self.encoder.fingerprint(),
        )
