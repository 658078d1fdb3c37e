"""What is taken home of a finished run: its retriever as a folder for other libraries, its rankings."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

from harness.api.run import OpenedRun
from harness.errors import UserError, nearest
from harness.provenance.settings_text import sampler_lines, scale_text, seeds_text
from harness.records.written import check_written
from harness.specs.run_settings import EvaluatedRun, RankerRun, StartedRun, TrainedRun
from harness.specs.settings import RERANKED
from harness.storage.files import atomic_folder, write_bytes, write_text

CARD = "README.md"
ENDING = ".trec.gz"


def export_model(run: OpenedRun, folder: Path) -> None:
    """Write a run's retriever with a card; `SentenceTransformer` and `transformers` open the folder.

    Args:
        run: finished, of a retriever.
        folder: not there yet. Of separate towers it holds ``query`` and ``passage``.

    Raises:
        UserError: the folder is there, the run is of no retriever, or a file of it is corrupt.
    """
    _refuse_there(folder)
    if isinstance(run.settings, RankerRun):
        fix = "name the run of a retriever, such as that which it starts from"
        raise UserError(f"{run.name} trains a ranker, and its figures are of that", where="RUN", fix=fix)
    with atomic_folder(folder) as beside:
        run.save_encoder(beside)
        write_text(beside / CARD, card(run))


def export_ranking(run: OpenedRun, split: str, path: Path) -> None:
    """Write the rankings of a split as TREC has them, packed where the name ends in ``.gz``.

    Args:
        run: finished.
        split: ``test``, ``dev`` or a further test set; with the suffix ``-reranked``, reranked.
        path: of the file.

    Raises:
        UserError: the file is there, there is no such split, or what is written of it is corrupt.
    """
    _refuse_there(path)
    known = [file.name.removesuffix(ENDING) for file in (run.run.folder / "rankings").glob(f"*{ENDING}")]
    if split not in known:
        raise UserError(f"the run has no rankings of '{split}'", where="--split", fix=nearest(split, known))
    content = check_written(run.run.folder, f"rankings/{split}{ENDING}").read_bytes()
    write_bytes(path, content if path.suffix == ".gz" else gzip.decompress(content))


def _refuse_there(path: Path) -> None:
    if os.path.lexists(path):
        raise UserError("this is there already", where=str(path), fix="name a place that is free")


def card(run: OpenedRun) -> str:
    """Return a model card: where the encoder comes from, how it was trained, what it reaches."""
    lines = ["---", "library_name: sentence-transformers", "pipeline_tag: sentence-similarity", "tags:"]
    lines += ["- dense-retrieval", "---", "", f"# {run.name}", "", *(f"- {line}" for line in _about(run))]
    lines += ["", "## Figures", "", *_figures(run), "", "## Use", "", *_use(run)]
    return "\n".join(lines) + "\n"


def _about(run: OpenedRun) -> Iterator[str]:
    settings, collection = run.settings, run.collection
    simulation = ", a simulation" if collection.simulation else ""
    yield f"collection: {collection.name}{simulation}, {len(collection.documents):,} documents"
    if isinstance(settings, EvaluatedRun):
        yield f"checkpoint: {settings.checkpoint.start}, evaluated and not trained"
    if isinstance(settings, StartedRun):
        yield f"recipe: {settings.recipe}"
    if isinstance(settings, TrainedRun):
        yield f"seeds: {seeds_text(settings)}"
        yield scale_text("trained", settings)
        yield ", ".join(text for _, text in sampler_lines(settings.sampler))
    yield f"run: {run.run.fingerprint}"


def _figures(run: OpenedRun) -> Iterator[str]:
    own = run.per_query[~run.per_query["split"].str.endswith(RERANKED)]  # by the retriever alone
    means = own.groupby(["split", "measure"])["value"].mean().unstack("measure")
    shown = list(means.columns)
    yield f"| split | {' | '.join(shown)} |"
    yield f"|---{'|---' * len(shown)}|"
    for split, row in means[shown].iterrows():
        yield f"| {split} | {' | '.join(f'{value:.4f}' for value in row)} |"
    yield ""
    yield "Means over queries of one run, by exact search; measures as `ir-measures` names them."


def _use(run: OpenedRun) -> Iterator[str]:
    yield "```python"
    yield "from sentence_transformers import SentenceTransformer"
    yield ""
    shared = run.encoder.query is run.encoder.passage
    for name in ("model",) if shared else ("query", "passage"):
        yield f'{name} = SentenceTransformer("{"." if shared else f"./{name}"}")'
    yield "```"
    yield ""
    yield "A score is the inner product of both vectors, without a further factor."
