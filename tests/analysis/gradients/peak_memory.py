"""Run analyses in a process of its own and print the peak of bytes that each added.

`python -m tests.analysis.gradients.peak_memory BYTES ...`: their bounds, ascending.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch

from harness.collections.planted import build_planted
from harness.collections.tokens import build_tokens
from harness.encoders.build import build_dual_encoder
from harness.gradients.per_rank import measure
from harness.runs.retriever import Retriever
from harness.specs.settings import EncoderSettings


def wide_retriever(folder: Path) -> Retriever:
    """A last layer of 790,000 parameters, over few documents."""
    collection = build_planted(
        topics=4,
        intents_per_topic=3,
        documents_per_intent=6,
        train_queries=20,
        dev_queries=6,
        test_queries=6,
        confusability=0.6,
        label_rate=1.0,
        seed=0,
    )
    tokens = build_tokens(
        collection, folder, start="fresh", vocabulary=400, query_tokens=16, passage_tokens=32
    )
    settings = EncoderSettings(
        hidden=256, layers=1, heads=2, intermediate=1024, dropout=0.1, token_dropout=0.0, pooling="mean"
    )
    encoder = build_dual_encoder(
        settings, vocabulary=tokens.vocabulary, pad=tokens.pad, idf=tokens.idf, longest=32
    )
    return Retriever("wide", encoder, collection, tokens)


def bytes_held(name: str) -> int:
    """Bytes that the process holds: `VmRSS` now, or `VmHWM` at most since the peak was reset."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(name)) * 1024


def main() -> None:
    """Print them."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        retriever = wide_retriever(Path(folder) / "tokens")
        measure(retriever, ranks=20, queries=2, wrt="score")
        for bound in sys.argv[1:]:
            Path("/proc/self/clear_refs").write_text("5")  # resets the peak, see proc(5)
            before = bytes_held("VmRSS")
            measure(retriever, ranks=10, queries=2, groups=4, memory=int(bound))
            print(bytes_held("VmHWM") - before)


if __name__ == "__main__":
    main()
