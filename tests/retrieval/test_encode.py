"""How many texts are encoded at once is a matter of the device, and of no vector."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from harness.collections.tokens import Ragged
from harness.encoders.dual_encoder import Tower
from harness.encoders.transformer import fresh_config, fresh_transformer
from harness.retrieval import encode as encoding
from harness.retrieval.encode import encode, places_at_once


@pytest.mark.parametrize(
    ("device", "width", "places"),
    [("cpu", 64, 16_384), ("cpu", 384, 2_730), ("cpu", 768, 1_365), ("cpu", 2**21, 1), ("cuda", 768, 16_384)],
)
def test_a_cpu_reads_at_once_what_its_cache_holds(device: str, width: int, places: int) -> None:
    assert places_at_once(device, width) == places


def test_smaller_batches_make_the_same_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    sizes: Any = SimpleNamespace(hidden=16, layers=1, heads=2, intermediate=32, dropout=0.1)
    tower = Tower(fresh_transformer(fresh_config(sizes, vocabulary=50, pad=0, longest=20)), pooling="mean")
    rng = np.random.default_rng(0)
    offset = np.concatenate([[0], np.cumsum(rng.integers(3, 20, 40))])
    texts = Ragged(rng.integers(1, 50, int(offset[-1])).astype(np.int32), offset)
    whole = encode(tower, texts, 0)
    passes: list[int] = []
    tower.register_forward_hook(lambda module, read, made: passes.append(len(made)))
    monkeypatch.setattr(encoding, "CACHED", 16 * 60)
    assert np.allclose(encode(tower, texts, 0), whole, atol=1e-6)
    assert sum(passes) == 40 and len(passes) > 5
