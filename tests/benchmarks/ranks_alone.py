"""What it costs that a step is made for many processes, where there is one.

    python -m tests.benchmarks.ranks_alone [--write]

Forward and backward of passages by `embed`, which seeds dropout by bucket, against a loop over the same
buckets that knows neither of ranks nor of seeds.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from harness.collections.tokens import Sequences
from harness.encoders.dual_encoder import Tower
from harness.retrieval.encode import length_buckets
from harness.training.forward import embed
from harness.training.protocols import PLACES
from tests.benchmarks.made import checkpoint, collection, read
from tests.benchmarks.paired import Line, in_turn, seconds, tell

SIZE, PASSAGES, ROUNDS = (128, 2), 512, 21
ASKED = 1 / 1.01


def direct(tower: Tower, sequences: Sequences) -> Tensor:
    """Embed all sequences, bucket by bucket."""
    buckets = list(length_buckets(sequences.lengths, PLACES))
    parts = [tower(*map(torch.from_numpy, sequences.padded(bucket, 0))) for bucket in buckets]
    return torch.cat(parts).index_select(0, torch.from_numpy(np.argsort(np.concatenate(buckets))))


def main() -> None:
    """Print the ratio."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        start = checkpoint(Path(folder) / "start", *SIZE)
        tokens, encoder = read(collection(PASSAGES, 1, "ms-marco"), start, Path(folder) / "tokens")
        tower, rows = encoder.passage.train(), np.arange(PASSAGES)
        timed = in_turn(
            lambda: seconds(
                lambda: embed(tower, tokens.documents, rows, tokens.pad).square().mean().backward()
            ),
            lambda: seconds(lambda: direct(tower, tokens.documents).square().mean().backward()),
            ROUNDS,
        )
    width, layers = SIZE
    case = f"BERT of {layers} x {width}, {PASSAGES} passages, lengths of ms-marco"
    tell(
        "ranks_alone", "Ranks, where there is one", [Line.of(case, "a loop over buckets", timed, asked=ASKED)]
    )


if __name__ == "__main__":
    main()
