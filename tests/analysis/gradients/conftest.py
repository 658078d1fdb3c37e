from __future__ import annotations

import pytest
import torch

from harness.encoders.build import build_dual_encoder
from harness.gradients.lists import build_lists
from harness.runs.retriever import Retriever
from harness.specs.settings import EncoderSettings

RANKS = 18
"""More than the 15 that are sampled, so that some negatives stand outside of the sample."""

ENCODERS = {
    "two layers, shared, mean": {},
    "one layer, separate, cls": {"layers": 1, "towers": "separate", "pooling": "cls"},
    "three layers, shared, projection": {"layers": 3, "projection": 8, "pooling": "first-last"},
    "no layer, shared, idf": {"layers": 0, "pooling": "idf-mean"},
    "no layer, separate, projection": {
        "layers": 0,
        "towers": "separate",
        "projection": 8,
        "score_scale": 2.0,
    },
}


@pytest.fixture(scope="session")
def double(retriever):
    """Make an untrained retriever in float64, whose weights are all random, from changes to the settings."""
    retrievers: dict[str, Retriever] = {}

    def make(name: str) -> Retriever:
        if name not in retrievers:
            tokens = retriever.tokens
            usual = {"hidden": 16, "layers": 2, "heads": 2, "intermediate": 24, "pooling": "mean"}
            settings = EncoderSettings(**{**usual, "dropout": 0.1, "token_dropout": 0.2, **ENCODERS[name]})
            torch.manual_seed(1)
            encoder = build_dual_encoder(
                settings, vocabulary=tokens.vocabulary, pad=tokens.pad, idf=tokens.idf, longest=32
            )
            with torch.no_grad():
                for parameter in encoder.parameters():
                    parameter.add_(torch.randn_like(parameter) * 0.2)
            retrievers[name] = Retriever(name, encoder.double(), retriever.collection, tokens)
        return retrievers[name]

    return make


@pytest.fixture
def lists_of():
    """Build the lists of a few queries."""
    return lambda retriever, queries, ranks=RANKS: build_lists(retriever, "dev", ranks, queries, seed=3)
