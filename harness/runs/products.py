"""What a run is made from: encoders and rankers of the runs below it, its candidates of round 0."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from harness.collections.tokens import TokenStore
from harness.encoders.build import build_dual_encoder
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.frozen import FROZEN, UNCHANGED_BY, frozen_kind
from harness.encoders.late_interaction import TokenStates
from harness.encoders.partial import PartialEncoder, last_layer_suffices, prepared, whole_of
from harness.encoders.pretrained import read_encoder, refuse_longer
from harness.encoders.ranker import Ranker
from harness.negatives.candidates import Candidates
from harness.negatives.mining import load_candidates, save_candidates
from harness.retrieval.encode import Reader
from harness.retrieval.rerank import PairTexts
from harness.retrieval.states import (
    DONE,
    FrozenReader,
    FrozenTexts,
    build_states,
    load_states,
    texts_of,
)
from harness.runs.collections import Collections
from harness.runs.device import device
from harness.runs.following import reading_together
from harness.runs.run import Run, Workshop
from harness.runs.training import TrainingData, make_miner, make_negatives, ranker_learns
from harness.specs.fingerprints import frozen_is_untrained, states_fingerprint, states_read
from harness.specs.run_settings import EvaluatedRun, RankerRun, RunSettings, StartedRun, TaughtRun, TrainedRun
from harness.storage.checksums import check_folder
from harness.storage.files import content_hash
from harness.training.checkpoints import final_of, load_encoder, load_ranker, ranker_of, read_part
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


def draws(settings: TrainedRun) -> bool:
    """Whether a run trains on negatives from candidates; without steps it trains on none."""
    return settings.sampler.source is not None and settings.phase.steps > 0


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
    _frozen: dict[str, DualEncoder] = field(default_factory=dict)
    _texts: dict[str, FrozenTexts] = field(default_factory=dict)

    def prepare(self, settings: RunSettings) -> None:
        """Make what a run stands on, so that its own time can be measured."""
        if isinstance(settings, StartedRun):
            self.finished(settings.start)
        if isinstance(settings, TrainedRun) and settings.phase.trains in FROZEN:
            self.at_start(settings)
        if isinstance(settings, TrainedRun) and draws(settings):
            self.candidates(settings)
        if isinstance(settings, TaughtRun):
            self.ranker(settings.teacher)
        if isinstance(settings, RankerRun | TaughtRun):
            self.ranker_texts(settings)

    def trained(self, settings: TrainedRun) -> Reader:
        """Return the retriever that a run trained, and what it reads of the collection."""
        return self.saved(settings, final_of(self.finished(settings).folder.checkpoints))

    def saved(self, settings: TrainedRun, folder: Path) -> Reader:
        """Return a retriever that a run saved, the last or the best one, and what it reads.

        Args:
            settings: of the run.
            folder: where it was saved.
        """
        if settings.phase.trains not in FROZEN:
            return Reader(load_encoder(folder).to(device()), self.collections.tokens(settings))
        part = self.part(settings)
        read_part(part, folder)
        return Reader(part, self._states(settings, part))

    def at_start(self, settings: TrainedRun) -> Reader:
        """Return what a phase trains as it begins, and what that reads; of a ranker's, its retriever."""
        if settings.phase.trains in FROZEN:
            part = self.part(settings)
            return Reader(part, self._states(settings, part))
        if isinstance(settings, StartedRun):
            return self._started(settings.start, whole=settings.phase.trains != "ranker")
        return Reader(self._built(settings), self.collections.tokens(settings))

    def _started(self, start: TrainedRun, *, whole: bool) -> Reader:
        """Return what a run trained: the whole encoder where all of it is trained further."""
        reader = self.trained(start)
        if not whole:
            return reader
        if isinstance(reader.encoder, PartialEncoder):  # whose frozen weights others share
            return Reader(copy.deepcopy(reader.encoder.whole), self.collections.tokens(start))
        return reader

    def part(self, settings: TrainedRun) -> PartialEncoder:
        """Return the part of an encoder that a run trains, as its phase begins."""
        trains = frozen_kind(settings.phase.trains)
        if isinstance(settings, StartedRun):
            start = whole_of(self.trained(settings.start).encoder)
        else:
            start = self._shared(settings)
        if trains != "head":  # which leaves all that it is put over as it is
            start = copy.deepcopy(start)
        return PartialEncoder(prepared(start, trains), trains).to(device())

    def _shared(self, settings: TrainedRun) -> DualEncoder:
        """Return the encoder that a base run begins with; the same object for all that leave it as it is."""
        tokens = self.collections.chain(settings).tokens  # of the collection, whose words and IDF it may have
        key = content_hash(settings.encoder.model_dump(), settings.seed, tokens)
        if key not in self._frozen:
            self._frozen[key] = self._built(settings)
        return self._frozen[key]

    def _states(self, settings: TrainedRun, part: FrozenReader) -> FrozenTexts:
        """Return the states that a part of an encoder or a ranker reads, computed once for all over them."""
        tokens = self.collections.tokens(settings)
        content = self.collections.get(settings.collection).fingerprint
        key = states_fingerprint(settings, content) or ""
        folder, what = self.workshop.store.states(key), "encoding by the frozen encoder"

        def make() -> None:
            with self.workshop.progress.task(what, texts_of(part, tokens)) as advance:
                build_states(part, tokens, folder, advance, known=self._states_of_whole(settings))

        if key not in self._texts:
            self.workshop.once(folder / DONE, key, what, make)
            check_folder(folder)
            self._texts[key] = load_states(part, tokens, folder)
        return self._texts[key]

    def _states_of_whole(self, settings: TrainedRun) -> tuple[TokenStore, Path] | None:
        """Return tokens and states of the whole collection, where a run's is carved from it."""
        whole = settings.collection.whole
        if whole == settings.collection or not frozen_is_untrained(settings):
            return None
        collection = self.collections.get(whole)
        of_whole = settings.model_copy(update={"collection": whole})
        folder = self.workshop.store.states(states_fingerprint(settings, collection.fingerprint) or "")
        return (self.collections.tokens(of_whole), folder) if (folder / DONE).exists() else None

    def entering_last_layer(self, settings: TrainedRun, encoder: DualEncoder) -> FrozenTexts | None:
        """Return the states that enter the last layer of a run's encoder, stored once for all of such.

        Args:
            settings: of the run.
            encoder: that it trained.

        Returns:
            None where the run trained what is below that layer, or where little is.
        """
        shared = settings.phase.trains in UNCHANGED_BY["last-layer"]
        deep = encoder.query.transformer.config.num_hidden_layers > 1
        if not shared or not deep or not all(map(last_layer_suffices, encoder.towers().values())):
            return None
        phase = settings.phase.model_copy(update={"trains": "last-layer"})
        part = PartialEncoder(prepared(encoder, "last-layer"), "last-layer").to(device())
        return self._states(settings.model_copy(update={"phase": phase}), part)

    def ranker_texts(self, settings: RankerRun | TaughtRun) -> PairTexts:
        """Return what the ranker of a run reads: tokens, or the states of the retriever that it stands on."""
        of = settings.own_ranker
        if states_read(of) is None:
            return self.collections.tokens(of)
        return self._states(of, TokenStates(whole_of(self.at_start(of).encoder)))

    def ranker(self, settings: RankerRun | TaughtRun) -> Ranker:
        """Return the ranker that a run trained, alone or beside a retriever, or else was taught by."""
        checkpoints = self.finished(settings).folder.checkpoints
        if isinstance(settings, RankerRun):
            return load_ranker(final_of(checkpoints)).to(device())
        if not ranker_learns(settings):
            return self.ranker(settings.teacher)
        return load_ranker(ranker_of(checkpoints)).to(device())

    def _built(self, settings: TrainedRun) -> DualEncoder:
        """Return the encoder of a run's settings, fresh or a checkpoint."""
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
            reader, data = self.at_start(settings), self.collections.training_data(settings)
            ranks = self.workshop.means.ranks
            with (
                self.workshop.progress.task("candidates of round 0"),
                reading_together(ranks, reader, settings, "start") as shared,
            ):
                mined = make_miner(data, settings.sampler).mine(
                    shared.queries("train"),
                    shared.documents(),
                    model=reader.encoder.fingerprint(),
                    seed=(settings.start if isinstance(settings, StartedRun) else settings).seed,
                )
                save_candidates(mined, path, key)

        self.workshop.once(path, key, "candidates of round 0", make)
        return load_candidates(path, key)

    def negatives(self, settings: TrainedRun, data: TrainingData) -> Negatives:
        """Return what a run's phase is trained against."""
        first = self.candidates(settings) if draws(settings) else None
        return make_negatives(data, settings.sampler, first)
