"""The stages of a reproduction: each makes its product or finds it in the store."""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from harness.collections.archive import load_collection, save_collection
from harness.collections.built_in import build_collection, collection_key, manifest_overlap
from harness.collections.carved import carve
from harness.collections.collection import Collection
from harness.collections.tokens import TokenStore, build_tokens, load_tokens
from harness.encoders.dual_encoder import DualEncoder, build_dual_encoder
from harness.encoders.pretrained import read_encoder, refuse_longer, tokenizer_at
from harness.encoders.ranker import Ranker
from harness.errors import UserError
from harness.negatives.candidates import Candidates
from harness.negatives.mining import load_candidates, save_candidates
from harness.progress import Progress
from harness.records.environment import describe_environment
from harness.records.run_folder import RunFolder
from harness.retrieval.encode import encode
from harness.runs.evaluation import evaluate_bm25, evaluate_encoder
from harness.runs.missing import refuse_missing
from harness.runs.reranking import TeacherState
from harness.runs.state import complete, trained
from harness.runs.training import TrainingData, make_miner, make_negatives, ranker_learns, train, train_ranker
from harness.specs.fingerprints import Chain, chain, links
from harness.specs.settings import CollectionSettings, RunSettings, SamplerSettings
from harness.storage.leases import lease
from harness.storage.store import Store
from harness.training.batches import TrainingPairs, labelled_pairs
from harness.training.checkpoints import final_of, load_final, load_ranker, ranker_of
from harness.training.phase_inputs import Negatives


def opened_checkpoint(settings: RunSettings) -> DualEncoder:
    """Return the encoder of a run of kind evaluated.

    Raises:
        UserError: none can be read there, or it reads shorter texts than the run has.
    """
    checkpoint = settings.checkpoint
    if checkpoint is None:
        raise ValueError(f"a run of kind {settings.kind} evaluates no checkpoint")
    pretrained = read_encoder(checkpoint.start, checkpoint.pooling)
    refuse_longer(checkpoint.start, pretrained, settings.tokens.model_dump(exclude={"vocabulary"}))
    return pretrained.encoder.to(device())


def _tokenizer(settings: RunSettings) -> str:
    """Return where the tokenizer of a run comes from; fresh where it is learnt."""
    return tokenizer_at(settings.checkpoint.start) if settings.checkpoint else settings.encoder.start


def device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass
class Stages:
    """Makes what a run stands on, and the run.

    Attributes:
        store: where products lie.
        progress: shows what is done and how long it will take.
        mirror: called with a run's folder whenever there is something new in it.
        watched: called with a run's folder, a step and what was measured on ``dev``, at each refresh; what it
            raises stops the run.
        made: fingerprints of the runs that were made here, and not found or made by another process.
    """

    store: Store
    progress: Progress
    mirror: Callable[[Path], None] = lambda folder: None
    watched: Callable[[Path, int, dict[str, float]], None] = lambda folder, step, metrics: None
    made: set[str] = field(default_factory=set)
    _collections: dict[str, Collection] = field(default_factory=dict)
    _tokens: dict[str, TokenStore] = field(default_factory=dict)
    _pairs: dict[str, TrainingPairs] = field(default_factory=dict)

    def collection(self, settings: CollectionSettings) -> Collection:
        """Return the collection, built or read from the store.

        Raises:
            UserError: it is not available.
        """
        if not settings.available:
            size = settings.parameters["documents"]
            what = f"the {size:,} documents of this scale are not here, and no loader yet"
            fix = "`harness plan` tells runs and memory; to make runs, choose a scale that has a collection"
            raise UserError(what, where="collection", fix=fix)
        key, path = self._collection_key(settings), self.collection_path(settings)
        what = f"collection {settings.kind}"
        if key not in self._collections:

            def make() -> None:
                with self.progress.task(what):
                    save_collection(self._built(settings), path)

            self._once(path, key, what, make)
            collection = self._collections[key] = load_collection(path)
            overlap = manifest_overlap(collection)
            if overlap is not None and overlap.share < 1:
                self.progress.say(f"warning: {overlap.summary}; figures differ from the committed ones")
        return self._collections[key]

    def _built(self, settings: CollectionSettings) -> Collection:
        if settings.held_out is not None:
            return carve(self.collection(settings.whole), settings.held_out)
        return build_collection(settings.kind, settings.parameters)

    def collection_path(self, settings: CollectionSettings) -> Path:
        """Return the file of the prepared collection, there or not; it can be carried to another machine."""
        return self.store.collection(self._collection_key(settings))

    def chain(self, settings: RunSettings) -> Chain:
        """Return the fingerprints of a run."""
        return chain(settings, self.collection(settings.collection).fingerprint)

    def tokens(self, settings: RunSettings) -> TokenStore:
        """Return the collection's tokens."""
        key = self.chain(settings).tokens
        folder = self.store.tokens(key)
        if key not in self._tokens:

            def make() -> None:
                with self.progress.task("tokens"):
                    build_tokens(
                        self.collection(settings.collection),
                        folder,
                        start=_tokenizer(settings),
                        vocabulary=settings.tokens.vocabulary,
                        query_tokens=settings.tokens.query_tokens,
                        passage_tokens=settings.tokens.passage_tokens,
                    )

            self._once(folder / "done.json", key, "tokens", make)
            self._tokens[key] = load_tokens(folder)
        return self._tokens[key]

    def run(self, settings: RunSettings, title: str, *, wait: bool = True) -> RunFolder:
        """Train and evaluate a run, unless it is done; what it stands on is made first.

        A run that lacks a measure is evaluated again, with those it has, and is not trained again.

        Args:
            settings: resolved settings.
            title: what the progress bar calls it.
            wait: for another process that is making it.

        Raises:
            BusyError: another process is making it, and `wait` is false.
            RunError: it needs a part that the trainer lacks, or its training diverges.
        """
        refuse_missing(settings)
        fingerprint = self.chain(settings).last
        folder = RunFolder(self.store.run(fingerprint), self.mirror)
        if not complete(folder, settings):
            with self.lease(fingerprint, title, wait=wait):
                if not complete(folder, settings):
                    self._make(settings, folder, title)
                    self.made.add(fingerprint)
        return folder

    def lease(self, fingerprint: str, what: str, *, wait: bool = True) -> AbstractContextManager[None]:
        """Hold the lease on a fingerprint; see :func:`harness.storage.leases.lease`."""
        return lease(self.store.lease(fingerprint), what, self.progress.say, wait=wait)

    def _once(self, product: Path, fingerprint: str, what: str, make: Callable[[], None]) -> None:
        """Make a product unless it is there; of several processes, one."""
        if not product.exists():
            with self.lease(fingerprint, what):
                if not product.exists():
                    make()

    def _make(self, settings: RunSettings, folder: RunFolder, title: str) -> None:
        evaluated = folder.result().get("measures", ()) if folder.done else ()
        settings = settings.model_copy(update={"measures": tuple(sorted({*evaluated, *settings.measures}))})
        run_links = links(settings, self.collection(settings.collection).fingerprint)
        folder.describe(
            settings.model_dump(mode="json"), [asdict(link) for link in run_links], describe_environment()
        )
        self._prepare(settings)
        begin = time.monotonic()
        result = self._trained_and_evaluated(settings, folder, title)
        for scaffolding in [folder.folder / "candidates", *folder.checkpoints.glob("*step-*")]:
            shutil.rmtree(scaffolding, ignore_errors=True)
        folder.finish(result | {"seconds": round(time.monotonic() - begin, 1), "finished": time.time()})
        self.mirror(folder.folder)

    def _trained_and_evaluated(self, settings: RunSettings, folder: RunFolder, title: str) -> dict[str, Any]:
        collection = self.collection(settings.collection)
        if settings.kind == "bm25":
            with self.progress.task("BM25"):
                return evaluate_bm25(settings, folder, collection)
        encoder = self._encoder(settings, folder, title)
        teacher = self._teacher_state(settings, folder, encoder, title)
        with self.progress.task(f"{title}: evaluation"):
            return evaluate_encoder(settings, folder, collection, self.tokens(settings), encoder, teacher)

    def _prepare(self, settings: RunSettings) -> None:
        """Make what a run stands on, so that its own time can be measured."""
        if settings.start is not None:
            self._started(settings.start)
        if settings.sampler is not None and settings.sampler.source is not None:
            self.candidates(settings, settings.sampler)
        if settings.teacher is not None:
            self._teacher(settings.teacher)

    def candidates(self, settings: RunSettings, sampler: SamplerSettings) -> Candidates:
        """Return the candidates of round 0, mined by what the run starts from."""
        key = self.chain(settings).candidates or ""
        path = self.store.candidates(key)

        def make() -> None:
            encoder, tokens = self._begin(settings), self.tokens(settings)
            with self.progress.task("candidates of round 0"):
                mined = make_miner(self._training_data(settings), sampler).mine(
                    encode(encoder.query, tokens.queries["train"], tokens.pad),
                    encode(encoder.passage, tokens.documents, tokens.pad),
                    model=encoder.fingerprint(),
                    seed=(settings.start or settings).seed,
                )
                save_candidates(mined, path)

        self._once(path, key, "candidates of round 0", make)
        return load_candidates(path)

    def _training_data(self, settings: RunSettings) -> TrainingData:
        """Return what a run is trained on."""
        collection, tokens = self.collection(settings.collection), self.tokens(settings)
        return TrainingData(collection, tokens, self._training_pairs(settings), self.progress)

    def _training_pairs(self, settings: RunSettings) -> TrainingPairs:
        key = self._collection_key(settings.collection)
        if key not in self._pairs:
            self._pairs[key] = labelled_pairs(self.collection(settings.collection))
        return self._pairs[key]

    def _collection_key(self, settings: CollectionSettings) -> str:
        return collection_key(settings.kind, settings.model_dump())

    def _started(self, start: RunSettings) -> DualEncoder:
        """Return the retriever that a run continues; it comes from a training run of its own."""
        folder = self.run(start, f"{start.kind}, seed {start.seed}")
        return load_final(folder.checkpoints).to(device())

    def _encoder(self, settings: RunSettings, folder: RunFolder, title: str) -> DualEncoder:
        """Return the retriever after the run's phase; where that trains a ranker, what it starts from."""
        if settings.checkpoint is not None:
            return opened_checkpoint(settings)
        if settings.kind == "ranker":
            return self._begin(settings)
        if trained(folder, settings):
            return load_final(folder.checkpoints).to(device())
        data, encoder = self._training_data(settings), self._begin(settings)
        negatives = self._negatives(settings, data)
        ranker = self._teacher(settings.teacher) if settings.teacher else None
        watched = functools.partial(self.watched, folder.folder)
        train(settings, data, folder, encoder, negatives, ranker, title=title, watched=watched)
        return encoder

    def _teacher_state(
        self, settings: RunSettings, folder: RunFolder, encoder: DualEncoder, title: str
    ) -> TeacherState | None:
        """Return the ranker of a run, trained here where that is what the run is for."""
        if settings.ranker is not None:
            ranker = self._ranker(settings, folder, encoder, title)
            return TeacherState(ranker, ranker, encoder, settings.ranker.pair_tokens)
        if settings.teacher is None or settings.cross_encoder is None:
            return None
        ranker = at_start = self._teacher(settings.teacher)
        if ranker_learns(settings):
            ranker = load_ranker(ranker_of(folder.checkpoints)).to(device())
        return TeacherState(ranker, at_start, self._begin(settings), settings.cross_encoder.pair_tokens)

    def _ranker(self, settings: RunSettings, folder: RunFolder, retriever: DualEncoder, title: str) -> Ranker:
        if final_of(folder.checkpoints).exists():
            return load_ranker(final_of(folder.checkpoints)).to(device())
        data = self._training_data(settings)
        negatives = self._negatives(settings, data)
        return train_ranker(settings, data, folder, retriever, negatives, title=title)

    def _teacher(self, teacher: RunSettings) -> Ranker:
        """Return the ranker that a run trained, alone or beside a retriever, or else was taught by."""
        folder = self.run(teacher, f"{teacher.kind}, seed {teacher.seed}")
        if teacher.teacher is not None and not ranker_learns(teacher):
            return self._teacher(teacher.teacher)
        place = final_of if teacher.ranker is not None else ranker_of
        return load_ranker(place(folder.checkpoints)).to(device())

    def _negatives(self, settings: RunSettings, data: TrainingData) -> Negatives:
        """Return what the run's last phase is trained against."""
        sampler = settings.sampler
        if sampler is None:
            return Negatives()
        first = self.candidates(settings, sampler) if sampler.source is not None else None
        return make_negatives(data, sampler, first)

    def _begin(self, settings: RunSettings) -> DualEncoder:
        """Return what the run's phase starts from: the run below, or the encoder of its settings."""
        if settings.start is not None:
            return self._started(settings.start)
        tokens = self.tokens(settings)
        torch.manual_seed(settings.seed)
        return build_dual_encoder(
            settings.encoder,
            vocabulary=tokens.vocabulary,
            pad=tokens.pad,
            idf=tokens.idf,
            longest=max(settings.tokens.query_tokens, settings.tokens.passage_tokens),
        ).to(device())
