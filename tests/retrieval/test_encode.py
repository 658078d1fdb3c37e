"""How many texts are encoded at once is a matter of the device, and of no vector."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from harness.collections.tokens import Ragged
from harness.encoders.dual_encoder import Tower
from harness.encoders.transformer import fresh_config, fresh_transformer
from harness.errors import RunError
from harness.retrieval import encode as encoding
from harness.retrieval.encode import encode, places_at_once
from harness.retrieval.search import exact_search


@pytest.mark.parametrize(
    ("device", "width", "places"),
    [("cpu", 64, 16_384), ("cpu", 384, 2_730), ("cpu", 768, 1_365), ("cpu", 2**21, 1), ("cuda", 768, 16_384)],
)
def test_a_cpu_reads_at_once_what_its_cache_holds(device: str, width: int, places: int) -> None:
    assert places_at_once(device, width) == places


def made() -> tuple[Tower, Ragged]:
    """A small tower, and 40 texts."""
    torch.manual_seed(0)
    sizes: Any = SimpleNamespace(hidden=16, layers=1, heads=2, intermediate=32, dropout=0.1)
    tower = Tower(fresh_transformer(fresh_config(sizes, vocabulary=50, pad=0, longest=20)), pooling="mean")
    rng = np.random.default_rng(0)
    offset = np.concatenate([[0], np.cumsum(rng.integers(3, 20, 40))])
    return tower, Ragged(rng.integers(1, 50, int(offset[-1])).astype(np.int32), offset)


def test_smaller_batches_make_the_same_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    tower, texts = made()
    whole = encode(tower, texts, 0)
    passes: list[int] = []
    tower.register_forward_hook(lambda module, read, made: passes.append(len(made)))
    monkeypatch.setattr(encoding, "CACHED", 16 * 60)
    assert np.allclose(encode(tower, texts, 0), whole, atol=1e-6)
    assert sum(passes) == 40 and len(passes) > 5


def test_vectors_that_are_mapped_are_the_same_and_searched_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tower, texts = made()
    held = encode(tower, texts, 0)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path))
    monkeypatch.setenv("HARNESS_MEMORY", "0")
    monkeypatch.setattr(encoding, "AT_ONCE", 16 * 7)
    mapped = encode(tower, texts, 0)
    assert (tmp_path / "scratch").is_dir() and np.array_equal(mapped, held)
    assert all(map(np.array_equal, exact_search(held, mapped, 5), exact_search(held, held, 5)))


def test_a_vector_that_is_no_number_is_found_in_any_part(monkeypatch: pytest.MonkeyPatch) -> None:
    tower, texts = made()
    monkeypatch.setattr(encoding, "AT_ONCE", 16 * 7)
    with torch.no_grad():
        tower.transformer.embeddings.word_embeddings.weight[texts.flat[texts.offset[38]]] = float("nan")
    with pytest.raises(RunError, match=r"of 40 texts are not finite"):
        encode(tower, texts, 0)
