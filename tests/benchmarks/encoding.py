"""Encoding documents: here, against `SentenceTransformer.encode`, the same checkpoint, texts and thread.

    python -m tests.benchmarks.encoding [--write]

The peer tokenises while it encodes; here tokens are read from a store, made once for all runs, and the time
that this takes is told beside.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules

from harness.retrieval.encode import encode
from tests.benchmarks.made import LONGEST, checkpoint, collection, read
from tests.benchmarks.paired import Line, in_turn, seconds, tell

ROUNDS = 5
SIZES = {
    "words of 384": (384, 0, 4000, None),
    "BERT of 2 x 128": (128, 2, 2000, 1.4),
    "MiniLM's size, 6 x 384": (384, 6, 200, 1.0),
}
"""Model -> width, layers, documents, and the ratio that is asked."""
KINDS = ("pydocs", "ms-marco")


def compared(name: str, kind: str) -> Line:
    """Return the line of a model on texts of some lengths."""
    width, layers, documents, asked = SIZES[name]
    made = collection(documents, 1, kind)
    with tempfile.TemporaryDirectory() as folder:
        start = checkpoint(Path(folder) / "start", width, layers)
        begin = time.process_time()
        tokens, encoder = read(made, start, Path(folder) / "tokens")
        tokenised = time.process_time() - begin
        words = modules.Transformer(str(start), max_seq_length=LONGEST)
        pooling = modules.Pooling(words.get_word_embedding_dimension(), "mean")
        peer = SentenceTransformer(modules=[words, pooling], device="cpu")
        texts = list(made.documents)
        here = encode(encoder.passage, tokens.documents, tokens.pad)
        there = peer.encode(texts, batch_size=32, show_progress_bar=False)
        apart = float(np.abs(here - there).max())
        pairs = in_turn(
            lambda: seconds(lambda: encode(encoder.passage, tokens.documents, tokens.pad)),
            lambda: seconds(lambda: peer.encode(texts, batch_size=32, show_progress_bar=False)),
            ROUNDS,
        )
    note = f"tokens and reading the model once: {tokenised:.2g} CPU s; vectors differ by {apart:.0e} at most"
    case = f"{name}, {documents:,} documents, lengths of {kind}"
    return Line.of(case, "SentenceTransformer.encode", pairs, asked=asked, note=note)


def main() -> None:
    """Print the ratios."""
    torch.set_num_threads(1)
    lines = [compared(name, kind) for name in SIZES for kind in KINDS]
    tell("encoding", "Encoding documents", lines, ("torch", "transformers", "sentence-transformers"))


if __name__ == "__main__":
    main()
