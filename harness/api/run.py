"""A finished run, opened for analysis: its inputs, its models, its results."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import pandas as pd

from harness.api.finished import (
    dataset_of,
    missing_run,
    refuse_other_content,
    refuse_unfinished,
    row_with_runs,
    stored_collection,
)
from harness.collections.collection import Collection
from harness.collections.tokenizer import load_tokenizer
from harness.collections.tokens import TokenStore
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.frozen import FROZEN
from harness.encoders.partial import whole_of
from harness.encoders.ranker import Ranker
from harness.errors import UserError, nearest
from harness.evaluation.rankings import read_ranking
from harness.negatives.candidates import Candidates
from harness.negatives.sampler import Sampler
from harness.progress import Progress
from harness.provenance.stored import StoredRun, find_run
from harness.records.mlflow_entries import NOT_METRICS
from harness.records.run_folder import RunFolder
from harness.records.written import check_written
from harness.retrieval.encode import Reader
from harness.runs.device import device
from harness.runs.products import opened_checkpoint
from harness.runs.retriever import Retriever
from harness.runs.stages import Stages
from harness.runs.training import make_sampler, ranker_learns
from harness.specs.fingerprints import Chain
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import EvaluatedRun, RankerRun, RunSettings, StartedRun, TaughtRun, TrainedRun
from harness.storage.store import Store
from harness.training.checkpoints import final_of, load_ranker, ranker_of


@dataclass(frozen=True)
class OpenedRun:
    """A finished run; its parts are read on first access, and nothing is trained.

    Attributes:
        name: name in figures and tables: its row, or the beginning of its fingerprint.
        seed: number of the seed, from 0; none if it was not opened as a row.
        run: the run's folder in the store.
        settings: settings of the run.
        stages: over the store that holds it.
    """

    name: str
    seed: int | None
    run: StoredRun
    settings: RunSettings = field(repr=False)
    stages: Stages = field(repr=False)

    @property
    def collection(self) -> Collection:
        """The collection that it was trained on."""
        return self.stages.collections.get(self.settings.collection)

    @property
    def tokens(self) -> TokenStore:
        """Tokens of the collection, as its encoder reads them.

        Raises:
            UserError: the run is BM25.
        """
        return self.stages.collections.tokens(self._with_encoder("tokens"))

    @cached_property
    def encoder(self) -> DualEncoder:
        """The run's retriever; for a ranker's run, the one that mined the ranker's candidates.

        Raises:
            UserError: the run is BM25, or a file is missing or corrupt.
        """
        return whole_of(self._reader.encoder)

    @cached_property
    def _reader(self) -> Reader:
        settings = self._with_encoder("encoder")
        if isinstance(settings, EvaluatedRun):
            return Reader(opened_checkpoint(settings), self.tokens)
        if isinstance(settings, RankerRun):
            settings = settings.start
        self._refuse_unfinished_starts(settings)
        run = RunFolder(self.stages.store.run(self.stages.collections.chain(settings).last))
        return self.stages.products.saved(settings, final_of(run.checkpoints))

    def save_encoder(self, folder: Path | str) -> None:
        """Write the run's retriever to a folder, with the head that it may have, for use elsewhere.

        `SentenceTransformer` and `transformers` open the folder; of an encoder with separate towers they open
        ``query/`` and ``passage/`` in it.

        Raises:
            UserError: the run is BM25, or a file is missing or corrupt.
        """
        tokenizer = load_tokenizer(str(self.tokens.tokenizer_folder))
        longest = self._with_encoder("encoder").tokens.passage_tokens
        self.encoder.save(Path(folder), tokenizer, longest)

    @cached_property
    def retriever(self) -> Retriever:
        """The encoder with collection and tokens, as analyses use it.

        Raises:
            UserError: the run is BM25, or a file is missing or corrupt.
        """
        settings = self.settings.start if isinstance(self.settings, RankerRun) else self.settings
        entering = None
        if isinstance(settings, TrainedRun):
            entering = partial(self.stages.products.entering_last_layer, settings, self.encoder)
        return Retriever(self.name, self.encoder, self.collection, self.tokens, self._reader, entering)

    @cached_property
    def ranker(self) -> Ranker:
        """The trained ranker, or else the ranker that it was distilled from.

        Raises:
            UserError: the run has no ranker, or a file is missing or corrupt.
        """
        checkpoints = RunFolder(self.run.folder).checkpoints
        if isinstance(self.settings, RankerRun):
            folder = final_of(checkpoints)
        elif ranker_learns(self.settings):
            folder = ranker_of(checkpoints)
        elif isinstance(self.settings, TaughtRun):
            below = self.stages.store.run(self.stages.collections.chain(self.settings.teacher).last)
            folder = final_of(RunFolder(below).checkpoints)
        else:
            fix = "open a row that is distilled from one, for example of trisampler/table-5-ar2"
            raise UserError(f"{self.name} has no ranker", where=str(self.run.folder), fix=fix)
        return load_ranker(folder).to(device())

    @cached_property
    def candidates(self) -> Candidates:
        """The candidates of round 0, with which training began; mined again if the store has lost them.

        Raises:
            UserError: the run has no candidates, or the retriever that mined them is gone.
        """
        settings = self._drawing("candidates")
        path = self.stages.store.candidates(self.mined or "")
        if not path.exists() and self._chain.start is not None:
            refuse_unfinished(StoredRun(self.stages.store.run(self._chain.start)))
        return self.stages.products.candidates(settings)

    @cached_property
    def sampler(self) -> Sampler:
        """The sampler, to be called with candidates and noise.

        Raises:
            UserError: the run is trained on in-batch negatives, or not at all.
        """
        return make_sampler(self._drawing("sampler").sampler)

    def rankings(self, split: str = "test") -> pd.DataFrame:
        """Return the rankings of a split: columns query, document, rank (from 1), score.

        Args:
            split: ``test``, ``dev`` or a further test set; with the suffix ``-reranked``, reranked.

        Raises:
            UserError: no such split, or the file is corrupt.
        """
        folder, ending = self.run.folder / "rankings", ".trec.gz"
        known = [path.name.removesuffix(ending) for path in folder.glob(f"*{ending}")]
        if split not in known:
            raise UserError(f"{self.name} has no rankings of '{split}'", fix=nearest(split, known))
        rows = [
            (query, document, rank, score)
            for query, documents in read_ranking(
                check_written(self.run.folder, f"rankings/{split}{ending}")
            ).items()
            for rank, (document, score) in enumerate(documents.items(), start=1)
        ]
        return pd.DataFrame(rows, columns=["query", "document", "rank", "score"])

    @cached_property
    def per_query(self) -> pd.DataFrame:
        """All measures of all queries: columns split, measure, query, value."""
        return RunFolder(self.run.folder).per_query()[["split", "measure", "query", "value"]]

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """All metrics logged during training, one per line: columns phase, step, metric, value."""
        rows = [
            (line["phase"], line["step"], metric, float(value))
            for line in RunFolder(self.run.folder).metrics()
            for metric, value in line.items()
            if metric not in NOT_METRICS
        ]
        return pd.DataFrame(rows, columns=["phase", "step", "metric", "value"])

    @property
    def mined(self) -> str | None:
        """Fingerprint of the candidates of round 0; none if the run has no candidates."""
        return self._chain.candidates

    def _refuse_unfinished_starts(self, settings: TrainedRun) -> None:
        """Refuse a run of which a part was trained over a run that is gone: nothing is trained here."""
        while settings.phase.trains in FROZEN and isinstance(settings, StartedRun):
            settings = settings.start
            refuse_unfinished(StoredRun(self.stages.store.run(self.stages.collections.chain(settings).last)))

    @property
    def _chain(self) -> Chain:
        return self.stages.collections.chain(self.settings)

    def _with_encoder(self, part: str) -> TrainedRun | EvaluatedRun:
        """Return its settings, which have an encoder; BM25 is refused."""
        if not isinstance(self.settings, TrainedRun | EvaluatedRun):
            raise UserError(f"{self.name} is BM25, which has no {part}", fix=_OTHER)
        return self.settings

    def _drawing(self, part: str) -> TrainedRun:
        """Return its settings, which draw negatives from a source; others are refused."""
        settings = self._with_encoder(part)
        if not isinstance(settings, TrainedRun):
            raise UserError(f"{self.name} is evaluated, not trained, and has no {part}", fix=_OTHER)
        if settings.sampler.source is None:
            what = f"{self.name} is trained on the passages of its batch and has no {part}"
            raise UserError(what, fix=_OTHER)
        return settings


_OTHER = "open a row that is trained on drawn negatives"


def load(
    target: str,
    *,
    row: str,
    scale: str = "quick",
    seed: int = 0,
    dataset: str | None = None,
    store: Path | str | None = None,
) -> OpenedRun:
    """Open the finished run of a row; nothing is trained.

    Args:
        target: name of the target, for example ``trisampler/table-5``.
        row: name of the row, or of one reading of a row with readings.
        scale: name of the scale, ``simulation``, ``scratch`` or ``quick``.
        seed: number of the seed, from 0.
        dataset: name of the dataset, of a target with several; by default its first.
        store: folder of the store; by default the one that commands use.

    Raises:
        UserError: no such target, row, scale, seed or dataset, the row has no runs, the store lacks the
            collection or the run, or the run is unfinished.
    """
    return open_row(_stages(store), resolve(Library.default(), target, scale), row, seed, dataset)


def open_row(
    stages: Stages, resolved: Resolved, name: str, seed: int, dataset: str | None = None
) -> OpenedRun:
    """Open the finished run of a row of a target; see `load`."""
    if seed < 0:
        raise UserError(f"no seed {seed}", fix="count seeds from 0")
    row = row_with_runs(resolved.loaded, name)
    settings = resolved.run(row, seed, dataset_of(resolved, dataset))
    stored_collection(stages, settings.collection)
    run = StoredRun(stages.store.run(stages.collections.chain(settings).last))
    if not run.folder.exists():
        raise missing_run(stages, resolved, row, seed)
    refuse_unfinished(run)
    return OpenedRun(row.name, seed, run, settings, stages)


def load_run(fingerprint: str, *, store: Path | str | None = None) -> OpenedRun:
    """Open a finished run by its fingerprint, or a prefix that only it has; nothing is trained.

    Args:
        fingerprint: as `harness runs list` shows it.
        store: folder of the store; by default the one that commands use.

    Raises:
        UserError: no such run, or several, the run is unfinished or of another version of the harness, or the
            store lacks the collection.
    """
    stages = _stages(store)
    run = find_run(stages.store, fingerprint)
    refuse_unfinished(run)
    settings, links = run.settings(), run.links()
    stored_collection(stages, settings.collection)
    name = f"run {run.fingerprint[:8]}"
    refuse_other_content(stages, name, links[0].stands_on if links else None, settings.collection)
    if stages.collections.chain(settings).last != run.fingerprint:
        if isinstance(settings, EvaluatedRun):
            what = f"{name} evaluated '{settings.checkpoint.start}', which has changed or is gone"
            raise UserError(what, where=str(run.folder), fix="put that checkpoint there again")
        fix = "read it with the commit in environment.json, or train it again by `harness reproduce`"
        raise UserError(f"{name} is of another version of the harness", where=str(run.folder), fix=fix)
    return OpenedRun(name, None, run, settings, stages)


def _stages(store: Path | str | None) -> Stages:
    return Stages(Store.default() if store is None else Store(Path(store)), Progress(quiet=True))
