"""A dense layer over the pooled vector trains, is saved, counted and opened elsewhere as what it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from harness.collections.tokens import learn_tokenizer
from harness.encoders.build import build_dual_encoder
from harness.encoders.dense import Dense
from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.encoders.late_interaction import late_interaction_over
from harness.encoders.partial import PartialEncoder, prepared
from harness.encoders.pretrained import read_encoder
from harness.encoders.sizes import checkpoint_sizes
from harness.errors import UserError
from harness.estimate.parameters import retriever_of
from harness.specs.settings import EncoderSettings, TokenSettings

from .test_folders import Settings

TEXTS = ["red apples fall", "green pears fall from a tree", "the tree is green", "a red sky at night " * 3]
ROBERTA_DOT = {"bias": True, "layer_norm": True}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return learn_tokenizer(TEXTS * 3, 120)


def tower(tokenizer: Any, dense: dict[str, Any], outputs: int = 12, **more: Any) -> Tower:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=24, max_position_embeddings=40, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    bert = transformers.BertModel(config, add_pooling_layer=False)
    layer = Dense(16, outputs, **dense)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    made = Tower(bert, pooling="cls", dense=layer, **more)
    if made.head is not None:
        torch.nn.init.normal_(made.head.weight)
    return made.eval()


def read(tokenizer: Any) -> tuple[torch.Tensor, torch.Tensor]:
    encoded = tokenizer(TEXTS, padding=True, return_tensors="pt")
    return encoded["input_ids"], encoded["attention_mask"]


@pytest.mark.parametrize(
    ("dense", "more"),
    [
        (ROBERTA_DOT, {}),
        (ROBERTA_DOT, {"normalised": True, "head": True}),
        (ROBERTA_DOT, {"projection": 5, "scale": 0.5}),
        ({"bias": True}, {"scale": 0.5}),
        ({"bias": False, "tanh": True}, {"normalised": True}),
    ],
)
def test_it_is_saved_and_opens_in_sentence_transformers_and_here(
    dense: dict, more: dict, tokenizer: Any, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    made = tower(tokenizer, dense, **more)
    DualEncoder(made, made).save(tmp_path, tokenizer, 30)
    again = DualEncoder.load(tmp_path)
    assert again.fingerprint() == DualEncoder(made, made).fingerprint()
    with torch.inference_mode():
        vectors = made(*read(tokenizer))
        assert torch.equal(again.query(*read(tokenizer)), vectors)
    assert vectors.shape[1] == made.dimension == more.get("projection", 12)
    elsewhere = SentenceTransformer(str(tmp_path), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(elsewhere, vectors.numpy(), atol=1e-6)


def test_a_tower_without_one_is_saved_and_named_as_before(tokenizer: Any, tmp_path: Path) -> None:
    plain = Tower(tower(tokenizer, ROBERTA_DOT).transformer, pooling="cls")
    state = torch.get_rng_state()
    plain.save(tmp_path, tokenizer, 30)
    assert torch.equal(torch.get_rng_state(), state), "saving draws no random numbers"
    said = json.loads((tmp_path / "harness_tower.json").read_text())
    assert set(said) == {"pooling", "scale", "token_dropout", "projected", "normalised"}
    with_one = tower(tokenizer, ROBERTA_DOT)
    names = set(DualEncoder(with_one, with_one).weights()) - set(DualEncoder(plain, plain).weights())
    assert names == {
        f"shared.dense.{of}" for of in ("linear.weight", "linear.bias", "norm.weight", "norm.bias")
    }


@pytest.mark.parametrize("trains", ["last-layer", "head", "query-tower"])
def test_a_part_over_states_embeds_as_the_whole(trains: Any, tokenizer: Any) -> None:
    made = tower(tokenizer, ROBERTA_DOT, normalised=True)
    part = PartialEncoder(prepared(DualEncoder(made, made), trains), trains).eval()
    ids, mask = read(tokenizer)
    with torch.inference_mode():
        states = part.passage_states()(ids, mask)
        torch.testing.assert_close(part.passage(states, mask), made(ids, mask), rtol=0, atol=1e-6)
    assert any("dense.norm" in name for name, _ in part.named_parameters()) == (trains != "head")


def test_all_of_it_trains(tokenizer: Any) -> None:
    made = tower(tokenizer, ROBERTA_DOT).train()
    made(*read(tokenizer)).square().sum().backward()
    assert made.dense is not None
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in made.dense.parameters())


def test_it_starts_an_encoder_and_is_counted(tokenizer: Any, tmp_path: Path) -> None:
    made, other = tower(tokenizer, ROBERTA_DOT), tower(tokenizer, ROBERTA_DOT, scale=2.0)
    DualEncoder(made, other).save(tmp_path, tokenizer, 40)
    settings = Settings(str(tmp_path), projection=5)
    idf = np.ones(len(tokenizer), np.float32)
    started = build_dual_encoder(settings, vocabulary=0, pad=0, idf=idf, longest=40)
    assert read_encoder(str(tmp_path)).encoder.query.dense is not None and started.query.dimension == 5
    encoder = EncoderSettings(start=str(tmp_path), pooling=None, projection=5, token_dropout=0.0, towers=None)
    tokens = TokenSettings(vocabulary=None, query_tokens=8, passage_tokens=8)
    size = retriever_of(encoder, tokens)
    counted = sum(parameter.numel() for parameter in started.parameters())
    assert (size.trained, size.width, size.towers) == (counted, 5, 2)
    sizes = checkpoint_sizes(str(tmp_path))
    assert sizes is not None and (sizes.dense, sizes.embedding) == (16 * 12 + 12 + 24, 12)
    head = retriever_of(encoder.model_copy(update={"projection": None}), tokens, phases=("head",))
    assert (head.trained, head.width) == (2 * 12**2, 12)


def test_a_late_interaction_over_it_is_refused(tokenizer: Any) -> None:
    made = tower(tokenizer, ROBERTA_DOT)
    with pytest.raises(UserError, match="pools by cls and projects; give the scale a cross-encoder"):
        late_interaction_over(DualEncoder(made, made))


def test_a_damaged_one_is_told_in_one_line(tokenizer: Any, tmp_path: Path) -> None:
    tower(tokenizer, ROBERTA_DOT).save(tmp_path, tokenizer, 30)
    weights = tmp_path / "2_LayerNorm/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(UserError, match="its weights cannot be read") as raised:
        Tower.load(tmp_path)
    assert "\n" not in str(raised.value)
    weights.unlink()
    with pytest.raises(UserError, match="2_LayerNorm: it has no weights"):
        Tower.load(tmp_path)
