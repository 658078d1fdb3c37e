"""A finished run, opened to be looked at: what it was trained from, what it is, what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from harness.analysis.retriever import Retriever
from harness.api.finished import (
    dataset_of,
    not_made,
    refuse_other_content,
    refuse_unfinished,
    row_with_runs,
    stored_collection,
)
from harness.collections.collection import Collection
from harness.collections.tokens import TokenStore
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.ranker import Ranker
from harness.errors import UserError, nearest
from harness.evaluation.rankings import read_ranking
from harness.negatives.candidates import Candidates
from harness.negatives.sampler import Sampler
from harness.progress import Progress
from harness.provenance.stored import StoredRun, find_run
from harness.records.mlflow_entries import NOT_METRICS
from harness.records.run_folder import RunFolder
from harness.runs.stages import Stages, device, opened_checkpoint
from harness.runs.training import make_sampler, ranker_learns
from harness.specs.fingerprints import Chain
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.settings import RunSettings, SamplerSettings
from harness.storage.store import Store
from harness.training.checkpoints import final_of, load_final, load_ranker, ranker_of


@dataclass(frozen=True)
class Opened:
    """A finished run; its parts are read when they are first asked for, and nothing is trained.

    Attributes:
        name: what figures and tables call it: its row, or the beginning of its fingerprint.
        seed: number of the seed, from 0; none where it was not opened as a row.
        run: its folder.
        settings: what it was made from.
        stages: over the store that holds it.
    """

    name: str
    seed: int | None
    run: StoredRun
    settings: RunSettings = field(repr=False)
    stages: Stages = field(repr=False)

    @property
    def collection(self) -> Collection:
        """What it was made on."""
        return self.stages.collection(self.settings.collection)

    @property
    def tokens(self) -> TokenStore:
        """Tokens of the collection, as its encoder reads them.

        Raises:
            UserError: it is BM25.
        """
        self._refuse_bm25("tokens")
        return self.stages.tokens(self.settings)

    @cached_property
    def encoder(self) -> DualEncoder:
        """The retriever that it is of; of a ranker's run the one whose candidates the ranker reads.

        Raises:
            UserError: it is BM25, or a file is missing or corrupt.
        """
        self._refuse_bm25("encoder")
        if self.settings.checkpoint is not None:
            return opened_checkpoint(self.settings)
        below = self.settings.kind == "ranker" and self._chain.start
        folder = self.stages.store.run(below) if below else self.run.folder
        return load_final(RunFolder(folder).checkpoints).to(device())

    @cached_property
    def retriever(self) -> Retriever:
        """The encoder with collection and tokens, as analyses take it.

        Raises:
            UserError: it is BM25, or a file is missing or corrupt.
        """
        return Retriever(self.name, self.encoder, self.collection, self.tokens)

    @cached_property
    def ranker(self) -> Ranker:
        """The ranker that it trained, or else the one that taught it.

        Raises:
            UserError: it has none, or a file is missing or corrupt.
        """
        checkpoints, teacher = RunFolder(self.run.folder).checkpoints, self.settings.teacher
        if self.settings.ranker is not None:
            folder = final_of(checkpoints)
        elif ranker_learns(self.settings):
            folder = ranker_of(checkpoints)
        elif teacher is not None:
            below = self.stages.store.run(self.stages.chain(teacher).last)
            folder = final_of(RunFolder(below).checkpoints)
        else:
            fix = "open a row that is taught by one, for example of trisampler/table-5-ar2"
            raise UserError(f"{self.name} has no ranker", where=str(self.run.folder), fix=fix)
        return load_ranker(folder).to(device())

    @cached_property
    def candidates(self) -> Candidates:
        """The candidates of round 0, that its training began with; mined again where the store lost them.

        Raises:
            UserError: it draws from no candidates, or what mined them is no longer there.
        """
        sampler = self._sampler_settings("candidates")
        if sampler.source is None:
            raise UserError(f"{self.name} draws from no source, so it has no candidates", fix=_OTHER)
        path = self.stages.store.candidates(self.mined or "")
        if not path.exists() and self._chain.start is not None:
            refuse_unfinished(StoredRun(self.stages.store.run(self._chain.start)))
        return self.stages.candidates(self.settings, sampler)

    @cached_property
    def sampler(self) -> Sampler:
        """Law and draw, to be called with candidates and noise.

        Raises:
            UserError: it is trained on the batch's own passages, or not at all.
        """
        return make_sampler(self._sampler_settings("sampler"))

    def rankings(self, split: str = "test") -> pd.DataFrame:
        """Return its rankings of a split: columns query, document, rank (from 1), score.

        Args:
            split: ``test``, ``dev`` or a further test set; with ``-reranked`` as a ranker has read it again.

        Raises:
            UserError: no such split, or the file is corrupt.
        """
        folder, ending = self.run.folder / "rankings", ".trec.gz"
        known = [path.name.removesuffix(ending) for path in folder.glob(f"*{ending}")]
        if split not in known:
            raise UserError(f"{self.name} has no rankings of '{split}'", fix=nearest(split, known))
        rows = [
            (query, document, rank, score)
            for query, documents in read_ranking(folder / f"{split}{ending}").items()
            for rank, (document, score) in enumerate(documents.items(), start=1)
        ]
        return pd.DataFrame(rows, columns=["query", "document", "rank", "score"])

    @cached_property
    def per_query(self) -> pd.DataFrame:
        """Every measure of every query: columns split, measure, query, value."""
        return RunFolder(self.run.folder).per_query()[["split", "measure", "query", "value"]]

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """All that was logged while it trained, a line a number: columns phase, step, metric, value."""
        rows = [
            (line["phase"], line["step"], metric, float(value))
            for line in RunFolder(self.run.folder).metrics()
            for metric, value in line.items()
            if metric not in NOT_METRICS
        ]
        return pd.DataFrame(rows, columns=["phase", "step", "metric", "value"])

    @property
    def mined(self) -> str | None:
        """Fingerprint of the candidates of round 0; none where it draws from no candidates."""
        return self._chain.candidates

    @property
    def _chain(self) -> Chain:
        return self.stages.chain(self.settings)

    def _refuse_bm25(self, wanted: str) -> None:
        if self.settings.kind == "bm25":
            raise UserError(f"{self.name} is BM25, which has no {wanted}", fix=_OTHER)

    def _sampler_settings(self, wanted: str) -> SamplerSettings:
        self._refuse_bm25(wanted)
        if self.settings.checkpoint is not None:
            what = f"{self.name} is evaluated, not trained, and has no {wanted}"
            raise UserError(what, fix=_OTHER)
        if self.settings.sampler is None:
            what = f"{self.name} is a {self.settings.kind} on the passages of its batch and has no {wanted}"
            raise UserError(what, fix=_OTHER)
        return self.settings.sampler


_OTHER = "open a row that is trained on drawn negatives"


def load(
    target: str,
    *,
    row: str,
    scale: str = "quick",
    seed: int = 0,
    dataset: str | None = None,
    store: Path | str | None = None,
) -> Opened:
    """Open the finished run of a row; nothing is trained.

    Args:
        target: for example ``trisampler/table-5``.
        row: its name; of a row with readings the name of one reading.
        scale: ``simulation``, ``quick``.
        seed: number of the seed, from 0.
        dataset: of a target with several; its first by default.
        store: folder of the store; by default the one that commands use.

    Raises:
        UserError: there is no such target, row, scale, seed or dataset, no run of ours stands behind the row,
            the store lacks the collection or the run, or the run is not finished.
    """
    return open_row(_stages(store), resolve(Library.default(), target, scale), row, seed, dataset)


def open_row(stages: Stages, resolved: Resolved, name: str, seed: int, dataset: str | None = None) -> Opened:
    """Open the finished run of a row of a target; see `load`."""
    if seed < 0:
        raise UserError(f"no seed {seed}", fix="count seeds from 0")
    row = row_with_runs(resolved.loaded, name)
    settings = resolved.run(row, seed, dataset_of(resolved, dataset))
    stored_collection(stages, settings.collection)
    run = StoredRun(stages.store.run(stages.chain(settings).last))
    if not run.folder.exists():
        raise not_made(stages, resolved, row, seed)
    refuse_unfinished(run)
    return Opened(row.name, seed, run, settings, stages)


def load_run(fingerprint: str, *, store: Path | str | None = None) -> Opened:
    """Open a finished run by its fingerprint, or a prefix that only it has; nothing is trained.

    Args:
        fingerprint: as `harness runs list` shows it.
        store: folder of the store; by default the one that commands use.

    Raises:
        UserError: there is no such run, or several, it is not finished, it was made by another state of the
            harness, or the store lacks the collection.
    """
    stages = _stages(store)
    run = find_run(stages.store, fingerprint)
    refuse_unfinished(run)
    settings, links = run.settings(), run.links()
    stored_collection(stages, settings.collection)
    name = f"run {run.fingerprint[:8]}"
    refuse_other_content(stages, name, links[0].stands_on if links else None, settings.collection)
    if stages.chain(settings).last != run.fingerprint:
        if settings.checkpoint is not None:
            what = f"{name} evaluated '{settings.checkpoint.start}' as it is no longer"
            raise UserError(what, where=str(run.folder), fix="put that checkpoint there again")
        fix = "read it with the commit in environment.json, or make it again by `harness reproduce`"
        raise UserError(f"{name} was made by another state of the harness", where=str(run.folder), fix=fix)
    return Opened(name, None, run, settings, stages)


def _stages(store: Path | str | None) -> Stages:
    return Stages(Store.default() if store is None else Store(Path(store)), Progress(quiet=True))
