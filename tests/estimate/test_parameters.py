"""Counted parameters are those of the models that `transformers` makes; nothing is allocated for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from harness.collections.tokens import learn_tokenizer
from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.encoders.ranker import CrossEncoder
from harness.encoders.transformer import fresh_config, fresh_transformer
from harness.estimate.parameters import Bert, UnknownSizesError, ranker_of, retriever_of
from harness.specs.scale import PublishedSizes
from harness.specs.settings import EncoderSettings, RankerSettings, TokenSettings
from harness.training.schedule import adamw

BASE = {"hidden": 768, "layers": 12, "heads": 12, "intermediate": 3072, "dropout": 0.1}
LARGE = {"hidden": 1024, "layers": 24, "heads": 16, "intermediate": 4096, "dropout": 0.1}
TOKENS = TokenSettings(vocabulary=30522, query_tokens=32, passage_tokens=128)
IDS = {"input_ids": torch.ones(1, 4, dtype=torch.int64, device="meta")}


def encoder(**more: Any) -> EncoderSettings:
    return EncoderSettings(**{"token_dropout": 0.0, "pooling": "cls", **more})


def published(sizes: dict[str, Any]) -> PublishedSizes:
    return PublishedSizes(**sizes, vocabulary=30522, types=4)


def released(sizes: dict[str, Any]) -> Any:
    """The configuration of an ERNIE 2.0 as the hub has it."""
    return transformers.BertConfig(
        vocab_size=30522, hidden_size=sizes["hidden"], num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"], intermediate_size=sizes["intermediate"], type_vocab_size=4,
    )  # fmt: skip


def counted(model: Any, output: torch.Tensor) -> tuple[int, int]:
    """Parameters of a model, and those that a backward pass gives a gradient."""
    output.sum().backward()
    parameters = list(model.parameters())
    return sum(p.numel() for p in parameters), sum(p.grad.numel() for p in parameters if p.grad is not None)


def test_a_pretrained_retriever_of_bert_base_size() -> None:
    with torch.device("meta"):
        tower = transformers.BertModel(released(BASE))
    every, trained = counted(tower, tower(**IDS).last_hidden_state[:, 0])
    start = encoder(start="nghuyong/ernie-2.0-base-en", towers="separate")
    size = retriever_of(start, TOKENS, published(BASE))
    assert (size.parameters, size.trained) == (2 * every, 2 * trained)
    assert trained < every  # the pooler is there and nothing reads it


def test_a_pretrained_ranker_of_ernie_large_size() -> None:
    with torch.device("meta"):
        model = transformers.BertForSequenceClassification(
            transformers.BertConfig(**{**released(LARGE).to_dict(), "num_labels": 1})
        )
    settings = RankerSettings(start="nghuyong/ernie-2.0-large-en", pair_tokens=160)
    size = ranker_of(settings, TOKENS, published(LARGE))
    assert (size.parameters, size.trained) == counted(model, model(**IDS).logits)


@pytest.mark.parametrize("layers", [0, 2])
def test_a_fresh_retriever_and_ranker(layers: int) -> None:
    sizes = {"hidden": 32, "layers": layers, "heads": 2, "intermediate": 48, "dropout": 0.0}
    settings = encoder(**sizes, projection=8)
    tower = fresh_transformer(fresh_config(settings, vocabulary=500, pad=0, longest=128))
    tokens = TOKENS.model_copy(update={"vocabulary": 500})
    body = sum(p.numel() for p in tower.parameters())
    assert (
        retriever_of(settings, tokens).parameters == retriever_of(settings, tokens).trained == body + 32 * 8
    )
    if layers:
        config = fresh_config(settings, vocabulary=500, pad=0, longest=24, num_labels=1)
        ranker = CrossEncoder(transformers.BertForSequenceClassification(config))
        counts = ranker_of(RankerSettings(**sizes, pair_tokens=24), tokens)
        assert counts.parameters == sum(p.numel() for p in ranker.parameters())


def test_a_checkpoint_that_is_here_is_counted_by_its_own_sizes(tmp_path: Path) -> None:
    pieces = learn_tokenizer(["red apples fall"] * 3, 120)
    config = transformers.BertConfig(
        vocab_size=len(pieces), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=24, max_position_embeddings=40,
    )  # fmt: skip
    model = transformers.BertModel(config)
    model.save_pretrained(tmp_path)
    pieces.save_pretrained(tmp_path)
    wrong = published(LARGE)
    for known in (None, wrong):
        size = retriever_of(encoder(start=str(tmp_path)), TOKENS, known)
        assert size.parameters == sum(p.numel() for p in model.parameters())
    tower = Tower(transformers.BertModel(config, add_pooling_layer=False), pooling="mean")
    other = Tower(transformers.BertModel(config, add_pooling_layer=False), pooling="mean")
    DualEncoder(tower, other).save(tmp_path / "two", pieces, 40)
    assert retriever_of(encoder(start=str(tmp_path / "two"), towers=None), TOKENS).towers == 2
    with pytest.raises(UnknownSizesError):
        retriever_of(encoder(start=str(tmp_path / "nowhere")), TOKENS)


def test_moments_are_two_a_trained_parameter() -> None:
    """As AdamW makes them; its counters of steps are a number a tensor."""
    model = transformers.BertModel(
        transformers.BertConfig(vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    )
    optimizer = adamw(model, 1e-3, 0.0)
    _, trained = counted(model, model(torch.ones(1, 4, dtype=torch.int64)).last_hidden_state[:, 0])
    optimizer.step()
    moments = sum(
        value.numel() for state in optimizer.state.values() for value in state.values() if value.ndim
    )
    assert moments == 2 * trained
    assert Bert(8, 1, 1, 3072, True, 50, 512).body == trained
