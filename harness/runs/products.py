"""What a run is made from: encoders and rankers of the runs below it, its candidates of round 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from harness.encoders.build import build_dual_encoder
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.pretrained import read_encoder, refuse_longer
from harness.encoders.ranker import Ranker
from harness.negatives.candidates import Candidates
from harness.negatives.mining import load_candidates, save_candidates
from harness.retrieval.encode import encode
from harness.runs.collections import Collections
from harness.runs.device import device
from harness.runs.run import Run, Workshop
from harness.runs.training import TrainingData, make_miner, make_negatives, ranker_learns
from harness.specs.run_settings import EvaluatedRun, RankerRun, RunSettings, StartedRun, TaughtRun, TrainedRun
from harness.training.checkpoints import final_of, load_final, load_ranker, ranker_of
from harness.training.phase_inputs import Negatives


def opened_checkpoint(settings: EvaluatedRun) -> DualEncoder:
    """Return the encoder of a run that is evaluated and not trained.

    Raises:
        UserError: none can be read there, or it reads shorter texts than the run has.
    """
    checkpoint = settings.checkpoint
    pretrained = read_encoder(checkpoint.start, checkpoint.pooling)
    refuse_longer(checkpoint.start, pretrained, settings.tokens.model_dump(exclude={"vocabulary"}))
    return pretrained.encoder.to(device())


@dataclass(frozen=True)
class Products:
    """What runs are made from.

    Attributes:
        workshop: store and progress.
        collections: of the store.
        finished: returns the run of some settings, made first where it is not there.
    """

    workshop: Workshop
    collections: Collections
    finished: Callable[[RunSettings], Run]

    def prepare(self, settings: RunSettings) -> None:
        """Make what a run stands on, so that its own time can be measured."""
        if isinstance(settings, StartedRun):
            self.retriever(settings.start)
        if isinstance(settings, TrainedRun) and settings.sampler.source is not None:
            self.candidates(settings)
        if isinstance(settings, TaughtRun):
            self.ranker(settings.teacher)

    def retriever(self, settings: TrainedRun) -> DualEncoder:
        """Return the retriever that a run trained."""
        return load_final(self.finished(settings).folder.checkpoints).to(device())

    def ranker(self, settings: RankerRun | TaughtRun) -> Ranker:
        """Return the ranker that a run trained, alone or beside a retriever, or else was taught by."""
        checkpoints = self.finished(settings).folder.checkpoints
        if isinstance(settings, RankerRun):
            return load_ranker(final_of(checkpoints)).to(device())
        if not ranker_learns(settings):
            return self.ranker(settings.teacher)
        return load_ranker(ranker_of(checkpoints)).to(device())

    def start(self, settings: TrainedRun) -> DualEncoder:
        """Return what a run's phase starts from: the run below, or the encoder of its settings."""
        if isinstance(settings, StartedRun):
            return self.retriever(settings.start)
        tokens = self.collections.tokens(settings)
        torch.manual_seed(settings.seed)
        return build_dual_encoder(
            settings.encoder,
            vocabulary=tokens.vocabulary,
            pad=tokens.pad,
            idf=tokens.idf,
            longest=max(settings.tokens.query_tokens, settings.tokens.passage_tokens),
        ).to(device())

    def candidates(self, settings: TrainedRun) -> Candidates:
        """Return the candidates of round 0, mined by what the run starts from."""
        key = self.collections.chain(settings).candidates or ""
        path = self.workshop.store.candidates(key)

        def make() -> None:
            encoder, data = self.start(settings), self.collections.training_data(settings)
            tokens = data.tokens
            with self.workshop.progress.task("candidates of round 0"):
                mined = make_miner(data, settings.sampler).mine(
                    encode(encoder.query, tokens.queries["train"], tokens.pad),
                    encode(encoder.passage, tokens.documents, tokens.pad),
                    model=encoder.fingerprint(),
                    seed=(settings.start if isinstance(settings, StartedRun) else settings).seed,
                )
                save_candidates(mined, path, key)

        self.workshop.once(path, key, "candidates of round 0", make)
        return load_candidates(path, key)

    def negatives(self, settings: TrainedRun, data: TrainingData) -> Negatives:
        """Return what a run's phase is trained against."""
        first = self.candidates(settings) if settings.sampler.source is not None else None
        return make_negatives(data, settings.sampler, first)
