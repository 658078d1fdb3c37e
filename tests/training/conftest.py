"""A tiny planted collection and encoder, in memory."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from harness.collections.planted import build_planted
from harness.collections.tokens import build_tokens
from harness.encoders.build import build_dual_encoder
from harness.encoders.ranker import build_ranker
from harness.negatives.mining import Miner
from harness.negatives.presets import Preset
from harness.negatives.registry import make_draw, make_law, make_source
from harness.negatives.sampler import Sampler
from harness.records.run_folder import RunFolder
from harness.retrieval.bm25 import bm25_search
from harness.retrieval.encode import encode
from harness.training.batches import labelled_pairs
from harness.training.losses.registry import make_loss
from harness.training.phase_inputs import Drawn, Negatives
from harness.training.topologies.registry import make_topology
from harness.training.trainer import Trainer

ENCODER = {
    "start": "fresh", "hidden": 32, "layers": 1, "heads": 2, "intermediate": 64, "dropout": 0.1,
    "token_dropout": 0.1, "pooling": "mean", "projection": None, "towers": "shared", "score_scale": 1.0,
}  # fmt: skip
RANKER = {
    "start": "fresh", "hidden": 32, "layers": 2, "heads": 1, "intermediate": 64, "dropout": 0.1,
}  # fmt: skip
PAIR_TOKENS = 40
PHASE = {
    "steps": 24, "batch": 8, "learning_rate": 1e-3, "weight_decay": 0.01, "lr_warmup_share": 0.1,
    "clip_norm": 2.0, "refresh": 6, "places": 4096, "precision": "float32",
}  # fmt: skip
LOSS = make_loss("softmax-cross-entropy")


class Bench:
    """Builds trainers over one tiny collection."""

    def __init__(self, folder):
        self.collection = build_planted(
            topics=6,
            intents_per_topic=3,
            documents_per_intent=4,
            train_queries=120,
            dev_queries=10,
            test_queries=10,
        )
        self.tokens = build_tokens(
            self.collection,
            folder / "tokens",
            start="fresh",
            vocabulary=2000,
            query_tokens=16,
            passage_tokens=40,
        )
        self.pairs = labelled_pairs(self.collection)

    def encoder(self, seed: int = 0, **changes):
        torch.manual_seed(seed)
        tokens = self.tokens
        settings = SimpleNamespace(**ENCODER | changes)
        return build_dual_encoder(
            settings, vocabulary=tokens.vocabulary, pad=tokens.pad, idf=tokens.idf, longest=40
        )

    def miner(self, source="top-k", depth: int = 20, mask: str = "labelled"):
        texts = self.collection.queries["train"].texts

        def lexical(deep: int):
            scores, numbers = bm25_search(self.collection.documents, texts, deep)
            return scores[self.pairs.pairs[:, 0]], numbers[self.pairs.pairs[:, 0]]

        return Miner(make_source(source), depth, self.pairs.pairs, self.pairs.masked(mask), lexical=lexical)

    def candidates(self, encoder, depth: int = 20, mask: str = "labelled", source="top-k"):
        tokens = self.tokens
        return self.miner(source, depth, mask).mine(
            encode(encoder.query, tokens.queries["train"], tokens.pad),
            encode(encoder.passage, tokens.documents, tokens.pad),
            model=encoder.fingerprint(),
            seed=0,
        )

    def ranker(self, encoder, seed: int = 0, **changes):
        """A fresh ranker that begins with an encoder's words."""
        torch.manual_seed(seed)
        words = encoder.passage.transformer.get_input_embeddings().weight.detach().float()
        return build_ranker(
            SimpleNamespace(**RANKER | changes), tokens=self.tokens, words=words, longest=PAIR_TOKENS
        )

    def trainer(
        self,
        folder,
        encoder,
        law: str | None = "trisampler",
        preset=None,
        *,
        ranker=None,
        loss=LOSS,
        name="continued",
        **changes,
    ):
        """A trainer that draws by a law from the top K, by a preset, or not at all."""
        preset = preset or Preset(
            "test",
            "",
            "",
            law=law or "uniform",
            source=None if law is None else "top-k",
            topology="in-batch" if law is None else "own",
        )
        drawn = None
        if preset.source is not None:
            sampler = Sampler(make_law(preset.law), make_draw(preset.draw), 5)
            drawn = Drawn(sampler, self.miner(preset.source), self.candidates(encoder, source=preset.source))
        negatives = Negatives(make_topology(preset.topology), preset.mask, drawn)
        phase = SimpleNamespace(**PHASE | ({"refresh": None} if drawn is None else {}) | changes)
        return Trainer(
            *(encoder, self.tokens, self.tokens, self.pairs, name, phase, loss, 3),
            *(RunFolder(folder), negatives, ranker),
        )


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    torch.set_num_threads(1)
    return Bench(tmp_path_factory.mktemp("bench"))


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(value.numpy(), other[key].numpy()) for key, value in one.items()
    )
