"""BM25 on published collections: the same as bare bm25s with the same words."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import bm25s
import numpy as np
import pytest

from harness.collections.beir import load_beir
from harness.evaluation.measures import evaluate
from harness.retrieval.bm25 import K1, B, bm25_search

DATA = os.environ.get("HARNESS_DATA")


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="HARNESS_DATA names no folder")
@pytest.mark.parametrize(("name", "expected"), [("scifact", 0.6617), ("nfcorpus", 0.3064)])
def test_bm25_is_that_of_bare_bm25s(name: str, expected: float, tmp_path: Path) -> None:
    with tarfile.open(Path(str(DATA)) / f"{name}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    collection = load_beir(tmp_path / name, titles=True)
    test = collection.queries["test"]
    documents = list(collection.documents)
    index = bm25s.BM25(k1=K1, b=B, method="lucene")
    index.index(bm25s.tokenize(documents, stopwords="en", show_progress=False), show_progress=False)
    words = bm25s.tokenize(list(test.texts), stopwords="en", show_progress=False, return_ids=False)
    theirs, _ = index.retrieve(words, k=100, show_progress=False)
    _, ours = bm25_search(collection.documents, test.texts, 100)
    values = []
    for numbers in (ours, np.asarray(theirs)):
        ranking = {
            query: {collection.document_ids[n]: -float(place) for place, n in enumerate(numbers[row])}
            for row, query in enumerate(test.ids)
        }
        values.append(float(evaluate(ranking, test.qrels, ["nDCG@10"])["value"].mean()))
    assert values[0] == pytest.approx(values[1], abs=1e-6)
    assert values[0] == pytest.approx(expected, abs=5e-4)
