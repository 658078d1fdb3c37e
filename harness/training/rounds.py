"""The rounds of a phase: the candidates that its negatives are drawn from, mined again at each refresh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.collections.tokens import Texts
from harness.encoders.dual_encoder import TwoTowers
from harness.negatives.candidates import Candidates, Draws
from harness.negatives.mining import Reads, load_candidates, save_candidates
from harness.negatives.noise import Noise
from harness.negatives.sampler import diagnose
from harness.retrieval.encode import encode
from harness.retrieval.ranks import ALONE, Numbers, Ranks
from harness.training.batches import Batch, sampled_pairs
from harness.training.phase_inputs import Drawn
from harness.training.protocols import Writer
from harness.training.stopwatch import Stopwatch

DIAGNOSED_PAIRS = 1000
"""Training pairs whose candidates are looked at each round, a sample that is the same in every run."""

Embeddings = npt.NDArray[np.float32]
Watch = Callable[[int, TwoTowers[Any], Embeddings], dict[str, float]]
"""Called at each refresh with step, encoder and all documents' embeddings; returns metrics of ``dev``."""


def watch_nothing(step: int, encoder: TwoTowers[Any], documents: Embeddings) -> dict[str, float]:
    """Return no metrics."""
    return {}


@dataclass
class Rounds:
    """The candidates of the present round; all ranks embed, rank 0 mines and saves them for all.

    Attributes:
        name: of the phase, as it is logged.
        length: steps of a round.
        drawn: sampler, miner and candidates of round 0.
        encoder: the retriever in training.
        texts: of the collection, as it reads them.
        seed: of the run.
        visited: numbers of the training pairs that some steps visit, sorted or not.
        writer: where they are recorded.
        watch: looks at the encoder at each refresh.
        ranks: that all run this phase.
    """

    name: str
    length: int
    drawn: Drawn
    encoder: TwoTowers[Any]
    texts: Texts
    seed: int
    visited: Callable[[range], Numbers]
    writer: Writer
    watch: Watch = watch_nothing
    ranks: Ranks = ALONE
    _candidates: Candidates | None = field(default=None, init=False)
    _number: int = field(default=-1, init=False)

    def reach(self, step: int) -> None:
        """Take or mine the candidates of the round that a step is in, unless they are those of the last."""
        number = step // self.length
        if number == self._number:
            return
        if number == 0:
            candidates = self.drawn.first
        elif self.ranks.told(self._path(number).exists()):
            candidates = self._saved(number)
        else:
            candidates = self._mined(step, number)
        self._candidates, self._number = candidates, number
        if step % self.length == 0:  # else resumed within the round, whose line is there
            self._diagnose(step, candidates)

    def draw(self, batch: Batch) -> Draws:
        """Draw negatives of a batch from the candidates of the present round."""
        if self._candidates is None:
            raise RuntimeError("no round was reached")
        noise = Noise(self.seed, self._number, batch.visit)
        return self.drawn.sampler(self._candidates.rows(batch.rows), noise)

    def _diagnose(self, step: int, candidates: Candidates) -> None:
        shown = sampled_pairs(DIAGNOSED_PAIRS, len(candidates.query))
        noise = Noise(self.seed, self._number, np.zeros(len(shown), dtype=np.int64))
        seen = diagnose(self.drawn.sampler, candidates.rows(shown), noise)
        self.writer.log(f"{self.name} refresh", step, **seen)

    def _mined(self, step: int, number: int) -> Candidates:
        watch, pad = Stopwatch(), self.texts.pad
        with watch.timing("seconds_encoding"):
            documents = encode(self.encoder.passage, self.texts.documents, pad, ranks=self.ranks)
            queries = encode(self.encoder.query, self.texts.queries["train"], pad, ranks=self.ranks)

        def mine() -> None:
            with watch.timing("seconds_watching"):
                watched = self.watch(step, self.encoder, documents)
            self.writer.log(f"{self.name} dev", step, **watched)
            with watch.timing("seconds_mining"):
                mined = self.drawn.miner.mine(
                    queries,
                    documents,
                    model=self.encoder.fingerprint(),
                    seed=self.seed,
                    round=number,
                    previous=self._before(number),
                    reads=self._read_in(number),
                    similarity=watch.timing("seconds_similarity"),
                )
            self.writer.log(f"{self.name} mining", step, **watch.seconds)
            self._save(number, mined)

        self.ranks.alone(mine)
        return self._saved(number)  # mapped, which takes no memory

    def _read_in(self, number: int) -> Reads:
        """Return which scores of a round's candidates are read, by its steps or by its diagnostics."""
        first = number * self.length
        shown = sampled_pairs(DIAGNOSED_PAIRS, len(self.drawn.first.query))
        read = np.unique(np.concatenate([shown, self.visited(range(first, first + self.length))]))
        return Reads(read, read if "documents" in self.drawn.sampler.law.needs else shown)

    def _before(self, number: int) -> Candidates:
        """Return the candidates of the round before."""
        if self._candidates is not None:
            return self._candidates
        return self.drawn.first if number == 1 else self._saved(number - 1)  # resumed between two rounds

    def _save(self, number: int, candidates: Candidates) -> None:
        path = self._path(number)
        self.writer.settle()  # a round that is there is not mined, and not watched, again
        save_candidates(candidates, path, self._whose(number))
        # The round before stays, so that this one can be mined again from it, should its file be lost.
        for old in path.parent.glob("round-*.npz"):
            if old not in (path, self._path(number - 1)):
                old.unlink()

    def _saved(self, number: int) -> Candidates:
        return load_candidates(self._path(number), self._whose(number))

    def _whose(self, number: int) -> str:
        return f"{self.writer.folder.name}, round {number}"

    def _path(self, number: int) -> Path:
        return self.writer.folder / "candidates" / f"round-{number:04d}.npz"
