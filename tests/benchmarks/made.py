"""What benchmarks of encoders read: a checkpoint in a folder, and texts of which each word is a token."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from harness.collections.collection import RELEVANT, Collection, Queries
from harness.collections.tokens import TokenStore, build_tokens
from harness.encoders.build import build_dual_encoder
from harness.encoders.dual_encoder import DualEncoder

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
QUERY, LONGEST = 24, 128
"""Tokens of a query, and of a passage at most."""


def lengths(kind: str, count: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Tokens of passages: log-normal, cut at the longest.

    Args:
        kind: ``pydocs``, whose mean is 104 once they are cut, ``ms-marco``, whose mean is 76, or ``longest``.
        count: of passages.
        rng: draws.
    """
    middle, spread = {"pydocs": (125, 0.6), "ms-marco": (73, 0.4), "longest": (LONGEST, 0.0)}[kind]
    return np.clip(rng.lognormal(np.log(middle), spread, count), 8, LONGEST).astype(np.int64)


def checkpoint(folder: Path, hidden: int, layers: int, words: int = 20_000, dropout: float = 0.1) -> Path:
    """Write a BERT with random weights, and a tokenizer whose words are numbers."""
    vocabulary = {token: number for number, token in enumerate((*SPECIAL, *map(str, range(words))))}
    pieces = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    pieces.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad", "unk", "cls", "sep", "mask"), SPECIAL, strict=True))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        model_max_length=LONGEST,
        **{f"{name}_token": token for name, token in names.items()},
    )
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=max(1, hidden // 32),
        intermediate_size=4 * hidden,
        max_position_embeddings=LONGEST,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def text(length: int, rng: np.random.Generator, words: int = 20_000) -> str:
    """Return a text of so many tokens, the two around it included."""
    return " ".join(map(str, rng.integers(0, words, max(int(length) - 2, 1))))


def collection(documents: int, queries: int, kind: str = "pydocs") -> Collection:
    """Documents of random words; query i has document i as its positive."""
    rng = np.random.default_rng(0)
    texts = tuple(text(length, rng) for length in lengths(kind, documents, rng))
    asked = tuple(text(QUERY, rng) for _ in range(queries))
    ids, names = tuple(map(str, range(documents))), tuple(f"q{number}" for number in range(queries))
    qrels = {name: {ids[number]: RELEVANT} for number, name in enumerate(names)}
    train = Queries(names, asked, qrels, {name: tuple(of) for name, of in qrels.items()})
    return Collection("made", True, ids, texts, {"train": train})


def read(made: Collection, start: Path, folder: Path) -> tuple[TokenStore, DualEncoder]:
    """Return the tokens of a collection, and the dual encoder of a checkpoint, with mean pooling."""
    store = build_tokens(
        made, folder, start=str(start), vocabulary=0, query_tokens=QUERY, passage_tokens=LONGEST
    )
    settings = SimpleNamespace(
        start=str(start), pooling="mean", projection=None, towers="shared", score_scale=1.0, token_dropout=0.0
    )
    encoder = build_dual_encoder(
        settings, vocabulary=store.vocabulary, pad=store.pad, idf=store.idf, longest=LONGEST
    )
    return store, encoder
