"""The stages of a reproduction: each makes its product or finds it in the store."""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from harness.encoders.ranker import Ranker
from harness.errors import UserError
from harness.progress import Progress
from harness.records.environment import describe_environment
from harness.records.run_folder import RunFolder
from harness.retrieval.encode import Reader
from harness.retrieval.search import engine
from harness.runs.collections import Collections
from harness.runs.device import device
from harness.runs.evaluation import evaluate_bm25, evaluate_encoder
from harness.runs.following import reading_together, training_together
from harness.runs.missing import refuse_missing
from harness.runs.products import Products, opened_checkpoint
from harness.runs.reranking import TeacherState
from harness.runs.run import Means, Run, Workshop
from harness.runs.state import complete, trained
from harness.runs.training import ranker_learns, train, train_ranker
from harness.specs.fingerprints import links
from harness.specs.run_settings import EvaluatedRun, RankerRun, RunSettings, TaughtRun, TrainedRun
from harness.storage.store import Store
from harness.training.checkpoints import final_of, load_ranker, ranker_of
from harness.training.memory import memory_told


@dataclass
class Stages:
    """Makes runs, and what they stand on.

    Attributes:
        store: where products lie.
        progress: shows what is done and how long it will take.
        mirror: called with a run's folder whenever there is something new in it.
        watched: called with a run's folder, a step and what was measured on ``dev``, at each refresh; what it
            raises stops the run.
        made: fingerprints of the runs that were made here, and not found or made by another process.
        collections: with tokens and training pairs; copies of the stages share them.
        means: by what runs are computed.
    """

    store: Store
    progress: Progress
    mirror: Callable[[Path], None] = lambda folder: None
    watched: Callable[[Path, int, dict[str, float]], None] = lambda folder, step, metrics: None
    made: set[str] = field(default_factory=set)
    collections: Collections = field(default=None)  # type: ignore[assignment]  # set below
    means: Means = field(default_factory=Means)

    def __post_init__(self) -> None:
        self.workshop = Workshop(self.store, self.progress, self.means)
        self.collections = self.collections or Collections(self.workshop)
        self.products = Products(self.workshop, self.collections, self._below)

    def place(self, settings: RunSettings) -> Run:
        """Return a run, finished or not; nothing is made but its collection."""
        chain = self.collections.chain(settings)
        return Run(settings, chain, RunFolder(self.store.run(chain.last), self.mirror))

    def run(self, settings: RunSettings, title: str, *, wait: bool = True) -> Run:
        """Train and evaluate a run, unless it is done; what it depends on is made first.

        A run that lacks a measure is evaluated again, with those it has, and is not trained again.

        Args:
            settings: resolved settings.
            title: what the progress bar calls it.
            wait: for another process that is making it.

        Raises:
            BusyError: another process is making it, and `wait` is false.
            RunError: it needs a part that the trainer lacks, its training diverges, or memory is too small.
        """
        refuse_missing(settings)
        run = self.place(settings)
        if not complete(run):
            self._refuse_to_make(run)
            with self.workshop.lease(run.chain.last, title, wait=wait):
                if not complete(run):
                    with memory_told(settings.kind):
                        self._make(run, title)
                    self.made.add(run.chain.last)
        return run

    def _refuse_to_make(self, run: Run) -> None:
        """Leave to rank 0 what it makes alone."""
        if not self.means.ranks.first:
            what, fix = f"run {run.chain.last} is not there, which rank 0 has made", "let them share a store"
            raise UserError(what, where="ranks", fix=fix)

    def _below(self, settings: RunSettings) -> Run:
        return self.run(settings, f"{settings.kind}, seed {settings.seed}")

    def _make(self, run: Run, title: str) -> None:
        folder, settings = run.folder, run.settings
        evaluated = folder.result().get("measures", ()) if folder.done else ()
        settings = settings.model_copy(update={"measures": tuple(sorted({*evaluated, *settings.measures}))})
        run_links = links(settings, self.collections.get(settings.collection).fingerprint)
        folder.reopen()
        folder.describe(
            settings.model_dump(mode="json"),
            [asdict(link) for link in run_links],
            describe_environment() | self.means.as_json() | {"search": engine()},
        )
        self.products.prepare(settings)
        begin = time.monotonic()
        result = self._trained_and_evaluated(settings, folder, title)
        for scaffolding in [folder.folder / "candidates", *folder.checkpoints.glob("*step-*")]:
            shutil.rmtree(scaffolding, ignore_errors=True)
        folder.finish(result | {"seconds": round(time.monotonic() - begin, 1), "finished": time.time()})
        self.mirror(folder.folder)

    def _trained_and_evaluated(self, settings: RunSettings, folder: RunFolder, title: str) -> dict[str, Any]:
        collection, teacher = self.collections.get(settings.collection), None
        match settings:
            case EvaluatedRun():
                reader = self.reader_at(settings, "end")
            case RankerRun():
                reader = self.products.at_start(settings)
                ranker = self._ranker(settings, folder, reader, title)
                texts = self.products.ranker_texts(settings)
                teacher = TeacherState(ranker, ranker, texts, reader, settings.pair_tokens)
            case TrainedRun():
                reader = self._retriever(settings, folder, title)
                teacher = self._teacher_state(settings, folder) if isinstance(settings, TaughtRun) else None
            case _:
                with self.progress.task("BM25"):
                    return evaluate_bm25(settings, folder, collection)
        with (
            self.progress.task(f"{title}: evaluation"),
            reading_together(self.means.ranks, reader, settings, "end") as shared,
        ):
            return evaluate_encoder(settings, folder, collection, shared, teacher)

    def reader_at(self, settings: TrainedRun | EvaluatedRun, at: Literal["start", "end"]) -> Reader:
        """Return the retriever of a run as its phase begins or ends, and what it reads; it is there.

        A ranker's phase leaves its retriever as it is.
        """
        if isinstance(settings, EvaluatedRun):
            return Reader(opened_checkpoint(settings), self.collections.tokens(settings))
        if at == "start" or isinstance(settings, RankerRun):
            return self.products.at_start(settings)
        folder = self.store.run(self.collections.chain(settings).last)
        return self.products.saved(settings, final_of(folder / "checkpoints"))

    def _retriever(self, settings: TrainedRun, folder: RunFolder, title: str) -> Reader:
        """Return the retriever after the run's phase, and what it reads."""
        if trained(settings, folder):
            return self.products.saved(settings, final_of(folder.checkpoints))
        phase = self.retriever_phase(settings, folder, title)
        with training_together(self.means.ranks, settings):
            return phase()

    def retriever_phase(self, settings: TrainedRun, folder: RunFolder, title: str) -> Callable[[], Reader]:
        """Return what trains a run's retriever, with the other ranks, and returns it."""
        data, reader = self.collections.training_data(settings), self.products.at_start(settings)
        negatives = self.products.negatives(settings, data)
        ranker = None
        if isinstance(settings, TaughtRun):
            ranker = self.products.ranker(settings.teacher)
            data = replace(data, ranker_texts=self.products.ranker_texts(settings))
        watched = functools.partial(self.watched, folder.folder)

        def phase() -> Reader:
            train(settings, data, folder, reader, negatives, ranker, title=title, watched=watched)
            return reader

        return phase

    def _ranker(self, settings: RankerRun, folder: RunFolder, retriever: Reader, title: str) -> Ranker:
        """Return the ranker after the run's phase."""
        if final_of(folder.checkpoints).exists():
            return load_ranker(final_of(folder.checkpoints)).to(device())
        phase = self.ranker_phase(settings, folder, retriever, title)
        with training_together(self.means.ranks, settings):
            return phase()

    def ranker_phase(
        self, settings: RankerRun, folder: RunFolder, retriever: Reader, title: str
    ) -> Callable[[], Ranker]:
        """Return what trains a run's ranker, with the other ranks, and returns it."""
        data = self.collections.training_data(settings)
        data = replace(data, ranker_texts=self.products.ranker_texts(settings))
        negatives = self.products.negatives(settings, data)
        return functools.partial(train_ranker, settings, data, folder, retriever, negatives, title=title)

    def _teacher_state(self, settings: TaughtRun, folder: RunFolder) -> TeacherState:
        """Return the ranker beside a retriever, before and after the run."""
        ranker = at_start = self.products.ranker(settings.teacher)
        if ranker_learns(settings):
            ranker = load_ranker(ranker_of(folder.checkpoints)).to(device())
        texts, start = self.products.ranker_texts(settings), self.products.at_start(settings)
        return TeacherState(ranker, at_start, texts, start, settings.own_ranker.pair_tokens)
