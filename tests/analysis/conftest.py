from __future__ import annotations

import pytest
import torch

from harness.collections.planted import build_planted
from harness.collections.tokens import build_tokens
from harness.encoders.build import build_dual_encoder
from harness.runs.retriever import Retriever
from harness.specs.settings import EncoderSettings

ENCODER = EncoderSettings(
    hidden=16, layers=2, heads=2, intermediate=24, dropout=0.1, token_dropout=0.0, pooling="mean"
)


@pytest.fixture(scope="session")
def retriever(tmp_path_factory) -> Retriever:
    """An untrained retriever over a tiny planted collection: shared towers, two layers."""
    collection = build_planted(
        topics=6,
        intents_per_topic=4,
        documents_per_intent=6,
        train_queries=60,
        dev_queries=20,
        test_queries=20,
        confusability=0.6,
        label_rate=1.0,
        seed=0,
    )
    folder = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens = build_tokens(
        collection, folder, start="fresh", vocabulary=600, query_tokens=16, passage_tokens=32
    )
    torch.manual_seed(0)
    encoder = build_dual_encoder(
        ENCODER, vocabulary=tokens.vocabulary, pad=tokens.pad, idf=tokens.idf, longest=32
    )
    return Retriever("tiny", encoder.eval(), collection, tokens)
