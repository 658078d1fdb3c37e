"""All engines find what a full sort finds, whatever the blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import faiss
import numpy as np
import pytest
import torch

from harness.errors import UserError
from harness.retrieval import search
from harness.retrieval.search import ENGINE, Engine, engine, exact_search

HERE = ["faiss", "torch"]


def vectors(count: int, width: int = 16, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal((count, width), dtype=np.float32)


def sorted_whole(queries: Any, documents: Any, k: int) -> Any:
    """Numbers by a full sort in float64, the smaller number first among equals."""
    products = queries.astype(np.float64) @ documents.astype(np.float64).T
    numbers = np.broadcast_to(np.arange(len(documents)), products.shape)
    return np.lexsort((numbers, -products), axis=1)[:, :k]


@pytest.mark.parametrize("rows", [1, 7, 1000])
@pytest.mark.parametrize("name", HERE)
def test_engines_find_what_a_full_sort_finds(monkeypatch: pytest.MonkeyPatch, name: str, rows: int) -> None:
    queries, documents = vectors(30, seed=1), vectors(90)
    monkeypatch.setenv(ENGINE, name)
    monkeypatch.setattr(search, "documents_at_once", lambda _: rows)
    monkeypatch.setattr(search, "QUERIES_AT_ONCE", 11)
    scores, numbers = exact_search(queries, documents, 9)
    assert np.array_equal(numbers, sorted_whole(queries, documents, 9))
    assert np.allclose(scores, np.take_along_axis(queries @ documents.T, numbers, axis=1), rtol=1e-6)
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("name", HERE)
def test_no_more_than_there_are(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(ENGINE, name)
    monkeypatch.setattr(search, "documents_at_once", lambda _: 2)
    for count in (1, 5):
        scores, numbers = exact_search(vectors(3, seed=1), vectors(count), 8)
        assert scores.shape == numbers.shape == (3, count)
        assert (np.sort(numbers, axis=1) == np.arange(count)).all()


@pytest.mark.parametrize("rows", [6, 1000])
@pytest.mark.parametrize("name", HERE)
def test_copies_take_the_places_that_there_are(monkeypatch: pytest.MonkeyPatch, name: str, rows: int) -> None:
    """Every document ten times: all copies of the best one, and some of the second."""
    documents = np.tile(vectors(8), (10, 1))
    monkeypatch.setenv(ENGINE, name)
    monkeypatch.setattr(search, "documents_at_once", lambda _: rows)
    queries = vectors(5, seed=1)
    numbers = exact_search(queries, documents, 13)[1]
    assert np.array_equal(np.sort(numbers % 8), np.sort(sorted_whole(queries, documents, 13) % 8))
    assert all(len(set(row)) == 13 for row in numbers.tolist())


@pytest.mark.parametrize("name", HERE)
def test_documents_may_be_mapped_halved_or_a_view(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv(ENGINE, name)
    monkeypatch.setattr(search, "documents_at_once", lambda _: 5)
    whole, queries = vectors(40, 32), vectors(4, seed=1)
    np.save(tmp_path / "half.npy", whole[:, ::2].astype(np.float16))
    halved = np.load(tmp_path / "half.npy", mmap_mode="r")
    found = exact_search(queries, halved, 5)[1]
    assert np.array_equal(found, sorted_whole(queries, np.asarray(halved), 5))
    assert np.array_equal(exact_search(queries, whole[:, ::2], 5)[1], sorted_whole(queries, whole[:, ::2], 5))


@pytest.mark.parametrize("count", [1, 40, 5000])
@pytest.mark.parametrize("k", [1, 7, 200])
def test_faiss_finds_what_its_flat_index_finds_bit_for_bit(count: int, k: int) -> None:
    """Committed results were made with the index."""
    queries, documents = vectors(1100, 24, seed=1), vectors(count, 24)
    index = faiss.IndexFlatIP(24)
    index.add(documents)
    k = min(k, count)
    parts = [index.search(queries[at : at + 1024], k) for at in (0, 1024)]
    scores, numbers = exact_search(queries, documents, k)
    assert np.array_equal(scores, np.concatenate([part[0] for part in parts]))
    assert np.array_equal(numbers, np.concatenate([part[1] for part in parts]))


def test_a_block_bounds_documents_and_scores() -> None:
    assert search.documents_at_once(4096) * 4096 * 4 == search.BLOCK_BYTES
    assert search.documents_at_once(16) * search.QUERIES_AT_ONCE * 4 == search.BLOCK_BYTES


def test_shards_of_several_devices_are_merged() -> None:
    queries, documents = vectors(7, seed=1), vectors(23)
    devices = [torch.device("cpu")] * 4
    numbers = search._by_products(devices, queries, documents, 6)[1]
    assert np.array_equal(numbers, sorted_whole(queries, documents, 6))


def test_the_engine_fits_the_machine_unless_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENGINE, raising=False)
    assert engine() == ("torch" if torch.cuda.is_available() else "faiss")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert engine() == "torch"
    for name in HERE:
        monkeypatch.setenv(ENGINE, name)
        assert engine() == name


@pytest.mark.parametrize("name", ["fais", "scann", "FAISS"])
def test_an_engine_that_there_is_not_is_told(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(ENGINE, name)
    with pytest.raises(UserError, match=f"no search engine '{name}'"):
        exact_search(vectors(2), vectors(3), 1)


@pytest.mark.skipif(bool(search._gpus_of_faiss()), reason="faiss has a GPU")
def test_faiss_on_a_gpu_that_there_is_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENGINE, "faiss-gpu")
    with pytest.raises(UserError, match="faiss has no GPU here"):
        exact_search(vectors(2), vectors(3), 1)


@pytest.mark.skipif(not search._gpus_of_faiss(), reason="faiss has no GPU")
def test_faiss_on_gpus_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENGINE, "faiss-gpu")
    queries, documents = vectors(30, seed=1), vectors(90)
    assert np.array_equal(exact_search(queries, documents, 9)[1], sorted_whole(queries, documents, 9))


def test_every_engine_is_made() -> None:
    assert set(search.ENGINES) == set(get_args(Engine))
