"""The systems that a command names: a checkpoint, the retriever of a run, or a run file of another system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from harness.api.run import OpenedRun
from harness.collections.checkpoint_place import found, local_folder, refuse_missing
from harness.encoders.dual_encoder import holds_encoder
from harness.encoders.partial import holds_part
from harness.encoders.sentence_files import sentence_files
from harness.errors import UserError, nearest
from harness.provenance.stored import StoredRun, find_run, stored_runs
from harness.runs.stages import Stages
from harness.specs.run_settings import Bm25Run, EvaluatedRun, RankerRun
from harness.specs.settings import CheckpointSettings, Pooling
from harness.storage.files import atomic_folder
from harness.storage.places import written_path
from harness.training.checkpoints import final_of

WHERE = "SYSTEM"

_FILES = (".gz", ".trec", ".run", ".txt", ".tsv", ".res")
"""What names of run files end in, and those of checkpoints do not."""

_SHORTEST = 4
"""Letters of the beginning of a fingerprint, at least; fewer may as well be a name."""


@dataclass(frozen=True)
class Checkpoint:
    """An encoder that is evaluated.

    Attributes:
        name: in tables.
        settings: where it begins, and how it pools.
        run: fingerprint of the run that trained it; none of one from elsewhere.
    """

    name: str
    settings: CheckpointSettings
    run: str | None = None

    @property
    def about(self) -> str:
        """What it is, in words."""
        return f"the retriever of run {self.run}" if self.run else f"the checkpoint {self.settings.start}"

    def as_json(self) -> dict[str, str | None]:
        """Return it as programs read it."""
        return {
            "kind": "checkpoint",
            "name": self.name,
            "checkpoint": self.settings.start,
            "run": self.run,
        }


@dataclass(frozen=True)
class RankedElsewhere:
    """A run file of another system.

    Attributes:
        name: in tables.
        path: of the file.
    """

    name: str
    path: Path

    @property
    def about(self) -> str:
        """What it is, in words."""
        return f"the run file {self.path}"

    def as_json(self) -> dict[str, str | None]:
        """Return it as programs read it."""
        return {"kind": "run file", "name": self.name, "file": str(self.path)}


System = Checkpoint | RankedElsewhere


def find_system(stages: Stages, text: str, pooling: str | None) -> System:
    """Return the system that a command names.

    Args:
        stages: over the store.
        text: a file; a folder or hub id of an encoder; a run, by fingerprint, a prefix of it, or folder.
        pooling: of a checkpoint that does not say it.

    Raises:
        UserError: there is no such thing, or it holds no encoder.
    """
    path = written_path(text, WHERE)
    if path.is_file():
        if pooling is not None:
            raise UserError("a run file is not pooled", where="--pooling", fix="leave it out")
        return RankedElsewhere(path.name.removesuffix(".gz").rpartition(".")[0] or path.name, path)
    if local_folder(text) is None and text.endswith(_FILES):
        raise UserError("no such file", where=text, fix="name a run file of TREC, plain or gzipped")
    run = _stored(stages, text, path)
    if run is not None:
        return _of_run(stages, run, pooling)
    refuse_missing(text, WHERE)
    chosen = _pooling(pooling)
    _refuse_unpooled(text, chosen)
    return Checkpoint(Path(text).name, CheckpointSettings(start=text, pooling=chosen))


def _stored(stages: Stages, text: str, path: Path) -> StoredRun | None:
    """Return the run of a folder or fingerprint; none where the text names neither."""
    if (path / "spec.json").is_file():
        return StoredRun(path.resolve())
    if local_folder(text) is not None or len(text) < _SHORTEST:
        return None
    begun = any(run.fingerprint.startswith(text) for run in stored_runs(stages.store))
    return find_run(stages.store, text) if begun else None


def _of_run(stages: Stages, run: StoredRun, pooling: str | None) -> Checkpoint:
    """Return the retriever of a finished run.

    Raises:
        UserError: it is not finished, or has no retriever of its own.
    """
    settings = run.settings()
    if run.state != "done":
        what = f"run {run.fingerprint} is not finished"
        raise UserError(what, where=WHERE, fix="resume it by `harness reproduce` and its target")
    if pooling is not None:
        raise UserError("the encoder of a run says how it pools", where="--pooling", fix="leave it out")
    name = f"run {run.fingerprint[:8]}"
    if isinstance(settings, EvaluatedRun):
        return Checkpoint(Path(settings.checkpoint.start).name, settings.checkpoint)
    if isinstance(settings, Bm25Run):
        fix = f"write its rankings by `harness export ranking {run.fingerprint} FILE`, and name the file"
        raise UserError(f"{name} is BM25 and has no encoder", where=WHERE, fix=fix)
    if isinstance(settings, RankerRun):
        fix = "name the run of a retriever, such as that which it starts from"
        raise UserError(f"{name} trains a ranker", where=WHERE, fix=fix)
    folder = final_of(run.folder / "checkpoints")
    if not holds_encoder(folder):
        folder = _written_out(stages, OpenedRun(name, None, run, settings, stages))
    start = CheckpointSettings(start=str(folder.absolute()), pooling=None)
    return Checkpoint(name, start, run.fingerprint)


def _written_out(stages: Stages, run: OpenedRun) -> Path:
    """Return the folder of a whole encoder of which a run trained a part, written once for the store."""
    fingerprint = run.run.fingerprint
    folder = stages.store.encoder(fingerprint)

    def write() -> None:
        with atomic_folder(folder) as beside:
            run.save_encoder(beside)

    stages.workshop.once(folder, f"encoder-{fingerprint}", f"encoder of {run.name}", write)
    return folder


def _pooling(text: str | None) -> Pooling | None:
    known: tuple[Pooling, ...] = get_args(Pooling)
    if text is None or text in known:
        return next((pooling for pooling in known if pooling == text), None)
    raise UserError(f"unknown pooling '{text}'", where="--pooling", fix=nearest(text, known))


def _refuse_unpooled(start: str, pooling: Pooling | None) -> None:
    """Refuse a checkpoint of which nothing says how it pools, before a collection is read."""
    folder = found(start)
    if folder is not None and holds_part(folder):
        what, fix = "it holds a part of an encoder", "name the run that trained it, by its fingerprint"
        raise UserError(what, where=start, fix=fix)
    if folder is None or holds_encoder(folder) or pooling is not None:
        return
    if sentence_files(start).pooling is None:
        fix = "add --pooling mean or --pooling cls, as it was trained"
        raise UserError("its pooling is not configured", where=start, fix=fix)
