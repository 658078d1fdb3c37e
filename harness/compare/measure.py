"""Scores and rankings of a side: read from a run's folder, or computed now with an encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.api.encoder import load_encoder
from harness.api.finished import refuse_other_content, stored_collection
from harness.collections.collection import Collection
from harness.compare.pairs import SeedScores
from harness.compare.sides import ComparedSide, Member
from harness.encoders.dual_encoder import DualEncoder
from harness.errors import UserError, nearest
from harness.evaluation.measures import evaluate_split
from harness.evaluation.rankings import read_ranking
from harness.records.run_folder import RunFolder
from harness.records.written import check_written
from harness.retrieval.encode import Reader
from harness.runs.device import device
from harness.runs.evaluation import rank
from harness.runs.stages import Stages
from harness.specs.run_settings import EvaluatedRun, RunSettings, TrainedRun
from harness.storage.checksums import check_folder


def the_collection(stages: Stages, a: ComparedSide, b: ComparedSide, settings: RunSettings) -> Collection:
    """Return the collection of both sides from the store; it is not built here.

    Raises:
        UserError: the sides use different collections, or the store's copy is missing or has changed.
    """
    for side in (a, b):
        if side.settings is not None and side.settings.collection != settings.collection:
            other = b if side is a else a
            one, another = _collection_text(side.settings), _collection_text(settings)
            what = f"{side.name} is measured on {one}, {other.name} on {another}"
            raise UserError(what, fix="compare what is measured on the same collection")
    collection = stored_collection(stages, settings.collection)
    for side in (a, b):
        refuse_other_content(stages, side.name, side.content, settings.collection)
    return collection


def measure_side(
    stages: Stages, side: ComparedSide, settings: RunSettings, collection: Collection, split: str
) -> Mapping[int, SeedScores]:
    """Return scores and rankings of a side, seed by seed.

    Args:
        stages: over the store.
        side: the side to measure.
        settings: lengths, depth and measures for an encoder without a run.
        collection: the collection of both sides.
        split: split of its queries.

    Raises:
        UserError: no such split, or a file is missing or corrupt.
    """
    if split not in collection.queries or split == "train":
        known = [name for name in collection.queries if name != "train"]
        raise UserError(
            f"{collection.name} has no queries '{split}' to measure on", fix=nearest(split, known)
        )
    return {
        seed: _read(member, split) if member.is_run else _ranked(stages, member, settings, collection, split)
        for seed, member in side.members.items()
    }


def _read(member: Member, split: str) -> SeedScores:
    scores = RunFolder(member.folder).per_query()
    ranking = read_ranking(check_written(member.folder, f"rankings/{split}.trec.gz"))
    return SeedScores(scores[scores["split"] == split], ranking)


def _ranked(
    stages: Stages, member: Member, settings: RunSettings, collection: Collection, split: str
) -> SeedScores:
    """Encode and rank, as the evaluation of a run does."""
    with stages.progress.task(f"ranking by {member.folder.name}"):
        of_run = member.run.settings() if member.run is not None else None
        if isinstance(of_run, TrainedRun | EvaluatedRun):
            check_folder(member.folder)
            reader = _reader(stages, of_run, member.folder)
        elif not isinstance(settings, TrainedRun | EvaluatedRun):
            what = f"lengths of texts are not known by which {member.folder} could be measured"
            raise UserError(what, fix="add --on TARGET, a target with a row that is trained, and --scale")
        else:
            lengths = settings.tokens.model_dump(exclude={"vocabulary"})
            alone = load_encoder(member.folder, collection, **lengths)
            reader = Reader(alone.encoder, alone.tokens)
        ranking = rank(settings.depth, collection, reader, reader.documents(), split)
    return SeedScores(evaluate_split(ranking, collection, split, settings.measures), ranking)


def _reader(stages: Stages, settings: TrainedRun | EvaluatedRun, folder: Path) -> Reader:
    """Return the encoder in a run's folder of checkpoints, and what it reads."""
    if isinstance(settings, TrainedRun):
        return stages.products.saved(settings, folder)
    return Reader(DualEncoder.load(folder).to(device()), stages.collections.tokens(settings))


def _collection_text(settings: RunSettings) -> str:
    """Return kind and parameters of a collection."""
    parameters = ", ".join(f"{key} {value}" for key, value in settings.collection.parameters.items())
    return f"{settings.collection.kind}{f' ({parameters})' if parameters else ''}"
