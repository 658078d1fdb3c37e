"""The states that a phase over a frozen encoder reads: how many texts are encoded, and their room on disk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.encoders.frozen import state_type
from harness.estimate.activations import FLOAT
from harness.estimate.memory import Published, retriever_in
from harness.estimate.moments import CorpusSize
from harness.specs.fingerprints import states_read
from harness.specs.run_settings import TrainedRun


@dataclass(frozen=True)
class StatesSize:
    """States of a collection's texts.

    Attributes:
        documents: number of documents that are encoded.
        queries: number of queries of all splits that are encoded.
        size: bytes on disk.
        at_most: whether the size is a bound, as where each token has a state.
        detail: how the size is composed, in words.
    """

    documents: int
    queries: int
    size: int
    at_most: bool
    detail: str


def states_size(run: TrainedRun, corpus: CorpusSize, published: Published) -> StatesSize:
    """Return the size of the states that a run reads, see `harness.encoders.partial`.

    Args:
        run: whose phase trains a part of an encoder, or a ranker over one.
        corpus: size of its collection.
        published: sizes of checkpoints that may not be on this machine.

    Raises:
        UnknownSizesError: it starts from a checkpoint whose sizes are not known.
    """
    retriever, tokens = retriever_in(run, published), run.tokens
    n, every = corpus.documents, corpus.queries
    if run.phase.trains == "query-tower":
        detail = f"{retriever.width} x {FLOAT} bytes a document"
        return StatesSize(n, 0, n * retriever.width * FLOAT, False, detail)
    width = retriever.bert.hidden
    reader = states_read(run)
    if reader == "head":
        size = (n + every) * width * FLOAT
        return StatesSize(n, every, size, False, f"{width} x {FLOAT} bytes a text")
    longest = n * tokens.passage_tokens + every * tokens.query_tokens
    number = np.dtype(state_type(reader)).itemsize if reader else FLOAT
    detail = (
        f"{width} x {number} bytes a token, "
        f"{tokens.passage_tokens} of a document and {tokens.query_tokens} of a query at most"
    )
    return StatesSize(n, every, longest * width * number, True, detail)
