"""The evaluation of a training run: rankings, judgements and per-query values, written to its folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.collections.collection import Collection
from harness.evaluation.curves import watched_name
from harness.evaluation.measures import (
    DEV_MEASURE,
    FIRST_MEASURES,
    cutoff_of,
    evaluate,
    evaluate_split,
    reads_answers,
)
from harness.evaluation.rankings import Ranking, make_ranking, write_qrels, write_ranking
from harness.records.run_folder import PER_QUERY, RunFolder
from harness.retrieval.bm25 import bm25_search
from harness.retrieval.encode import Reader
from harness.retrieval.search import exact_search
from harness.runs.reranking import TeacherState, compared_on_lists, reranked
from harness.specs.run_settings import EvaluatedRun, RankerRun, RunSettings, TaughtRun, TrainedRun
from harness.specs.settings import RERANKED
from harness.storage.files import write_parquet
from harness.training.checkpoints import settle_best

Embeddings = npt.NDArray[np.float32]


def evaluate_encoder(
    settings: TrainedRun | EvaluatedRun,
    folder: RunFolder,
    collection: Collection,
    reader: Reader,
    teacher: TeacherState | None = None,
) -> dict[str, Any]:
    """Rank the queries of every split but ``train``; returns what done.json tells.

    Where there is a ranker, it reads the first documents of each ranking again: under a name of its own
    beside a retriever that was trained, and in place of the rankings where the ranker is what was trained.
    """
    rankings = _rankings(settings, collection, reader)
    result: dict[str, Any] = {"weights": reader.encoder.fingerprint()}
    trains_ranker = isinstance(settings, RankerRun)
    if isinstance(settings, TrainedRun) and not trains_ranker:
        steps = settings.phase.steps
        reached = _on_dev(collection, rankings["dev"])[DEV_MEASURE]
        result["best"] = settle_best(folder.checkpoints, steps, reached) | {"measure": DEV_MEASURE}
    if teacher is not None and isinstance(settings, RankerRun | TaughtRun):
        depth, suffix = settings.reranked, "" if trains_ranker else RERANKED
        rankings |= {
            f"{split}{suffix}": reranked(ranking, teacher, collection, split, depth)
            for split, ranking in rankings.items()
        }
        result["reranked"] = depth
        result["lists"] = compared_on_lists(settings, collection, reader, teacher)
        result["weights" if trains_ranker else "ranker"] = teacher.ranker.fingerprint()
    return {**_measure(settings, folder, collection, rankings), **result}


def _rankings(settings: RunSettings, collection: Collection, reader: Reader) -> dict[str, Ranking]:
    documents = reader.documents()
    return {
        split: rank(settings.depth, collection, reader, documents, split)
        for split in collection.queries
        if split != "train"
    }


def evaluate_bm25(settings: RunSettings, folder: RunFolder, collection: Collection) -> dict[str, Any]:
    """Rank by BM25 and measure."""
    rankings = {}
    for split, queries in collection.queries.items():
        if split != "train":
            deep = settings.depth + bool(collection.own(split))
            hits = bm25_search(collection.documents, queries.texts, deep)
            rankings[split] = _ranking(collection, split, hits, settings.depth)
    return _measure(settings, folder, collection, rankings)


def dev_metrics(
    settings: RunSettings, collection: Collection, reader: Reader, documents: Embeddings
) -> dict[str, float]:
    """Return what is watched while training: one measure of the split ``dev``."""
    ranking = rank(cutoff_of(DEV_MEASURE) or settings.depth, collection, reader, documents, "dev")
    return _on_dev(collection, ranking)


def watched_metrics(
    splits: Iterable[str], collection: Collection, reader: Reader, documents: Embeddings
) -> dict[str, float]:
    """Return what is watched of further splits while training, of their judged queries: ``train MEASURE``."""
    watched: dict[str, float] = {}
    for split in splits:
        queries = collection.queries[split]
        measures = [name for name in FIRST_MEASURES if queries.answers or not reads_answers(name)]
        ranking = rank(1, collection, reader, documents, split)
        judged = {query: found for query, found in ranking.items() if query in queries.qrels}
        values = evaluate_split(judged, collection, split, measures).groupby("measure")["value"].mean()
        watched |= {watched_name(split, measure): float(values[measure]) for measure in measures}
    return watched


def _on_dev(collection: Collection, ranking: Ranking) -> dict[str, float]:
    values = evaluate(ranking, collection.queries["dev"].qrels, [DEV_MEASURE])["value"]
    return {DEV_MEASURE: float(values.mean())}


def rank(
    depth: int,
    collection: Collection,
    reader: Reader,
    documents: Embeddings,
    split: str,
) -> Ranking:
    """Rank all documents for the queries of a split, by exact search.

    Args:
        depth: length of a ranking.
        collection: documents and queries.
        reader: embeds the queries.
        documents: [N, dimension], embedded by it.
        split: which queries.
    """
    hits = exact_search(reader.queries(split), documents, depth + bool(collection.own(split)))
    return _ranking(collection, split, hits, depth)


def _ranking(
    collection: Collection,
    split: str,
    hits: tuple[Embeddings, npt.NDArray[np.int64]],
    depth: int,
) -> Ranking:
    """Return rankings without the documents that are the queries themselves."""
    ids, own = collection.queries[split].ids, collection.own(split)
    return make_ranking(ids, collection.document_ids, *hits, own=own, depth=depth)


def _measure(
    settings: RunSettings, folder: RunFolder, collection: Collection, rankings: dict[str, Ranking]
) -> dict[str, Any]:
    frames: list[pd.DataFrame] = []
    for split, ranking in rankings.items():
        asked = split.removesuffix(RERANKED)
        write_ranking(ranking, folder.folder / "rankings" / f"{split}.trec.gz", tag=folder.folder.name)
        write_qrels(collection.queries[asked].qrels, folder.folder / "rankings" / f"{split}.qrels")
        frames.append(evaluate_split(ranking, collection, asked, settings.measures).assign(split=split))
    write_parquet(pd.concat(frames, ignore_index=True), folder.folder / PER_QUERY)
    return {
        "measures": sorted(settings.measures),
        "depth": settings.depth,
        "known_relevant_drawn": int(folder.total("known_relevant_drawn")),
        "drawn": int(folder.total("drawn")),
        "filled": int(folder.total("filled")),
        "unlabelled_drawn": int(folder.total("unlabelled_drawn")),
        "unlabelled_known": int(folder.total("unlabelled_known")),
        "diagnostics": folder.last("continued refresh"),
    }
