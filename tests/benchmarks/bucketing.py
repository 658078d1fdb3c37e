"""A training batch's passages bucketed by length, against one batch padded whole.

Forward and backward of 16 queries' 16 passages through a two-layer BERT, with log-normal lengths of 8 to 128
tokens; prints the ratio of the two times, interleaved in one run: `python -m tests.benchmarks.bucketing`.
"""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import torch

from harness.collections.tokens import Ragged
from harness.encoders.dual_encoder import Tower
from harness.encoders.transformer import fresh_config, fresh_transformer
from harness.training.forward import Passing, embed
from harness.training.protocols import PLACES

PASSAGES, ROUNDS = 256, 6


def sequences(count: int) -> Ragged:
    """Random token sequences."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(np.log(60), 0.8, count), 8, 128).astype(np.int64)
    offset = np.concatenate([[0], np.cumsum(lengths)])
    return Ragged(rng.integers(5, 8000, int(offset[-1])).astype(np.int32), offset)


def step(tower: Tower, passages: Ragged, places: int) -> float:
    """Seconds of one forward and backward pass."""
    passing, begin = Passing(places=places), time.perf_counter()
    embed(tower, passages, np.arange(len(passages)), 0, passing=passing).square().mean().backward()
    return time.perf_counter() - begin


def main() -> None:
    """Print the ratio."""
    sizes = SimpleNamespace(hidden=128, layers=2, heads=2, intermediate=512, dropout=0.1)
    config = fresh_config(sizes, vocabulary=8000, pad=0, longest=128)
    tower = Tower(fresh_transformer(config), pooling="mean").train()
    passages = sequences(PASSAGES)
    torch.manual_seed(0)
    times = [(step(tower, passages, PLACES), step(tower, passages, 10**9)) for _ in range(ROUNDS)]
    bucketed, whole = np.median(times[1:], axis=0)
    print(f"padded whole / bucketed: {whole / bucketed:.2f} (median of {ROUNDS - 1})")


if __name__ == "__main__":
    main()
