"""Saved encoders give the same embeddings wherever they are opened."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from harness.collections.tokens import Ragged, inverse_document_frequency, learn_tokenizer
from harness.encoders.build import build_dual_encoder
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.partial import prepared
from harness.errors import UserError
from harness.retrieval.encode import encode

TEXTS = ["red apples fall", "green pears fall from a tree", "the tree is green", "a red sky at night " * 6]


@pytest.fixture(scope="module")
def tokenizer():
    return learn_tokenizer(TEXTS * 3, 120)


def tokens(tokenizer) -> Ragged:
    ids = tokenizer(TEXTS)["input_ids"]
    return Ragged(np.concatenate(ids).astype(np.int32), np.cumsum([0, *map(len, ids)]))


def build(tokenizer, **changes) -> DualEncoder:
    settings = {
        "start": "fresh", "hidden": 16, "layers": 2, "heads": 2, "intermediate": 32, "dropout": 0.1,
        "token_dropout": 0.2, "pooling": "mean", "projection": None, "towers": "shared", "score_scale": 1.0,
    } | changes  # fmt: skip
    torch.manual_seed(0)
    idf = inverse_document_frequency(tokens(tokenizer), len(tokenizer), tokenizer.all_special_ids)
    return build_dual_encoder(
        SimpleNamespace(**settings),
        vocabulary=len(tokenizer),
        pad=tokenizer.pad_token_id,
        idf=idf,
        longest=64,
    )


CHOICES = [
    {"pooling": "cls"},
    {"pooling": "mean", "score_scale": 0.3},
    {"pooling": "idf-mean", "layers": 0, "score_scale": 0.5},
    {"pooling": "idf-mean", "projection": 8},
    {"pooling": "first-last", "projection": 8, "score_scale": 0.7},
    {"pooling": "mean", "towers": "separate"},
    {"pooling": "mean", "towers": "separate", "score_scale": 4.5, "head": "normalised"},
    {"pooling": "cls", "projection": 8, "head": "as it is"},
]


@pytest.mark.parametrize("changes", CHOICES, ids=str)
def test_a_saved_encoder_opens_alike_in_sentence_transformers_and_here(tokenizer, tmp_path, changes):
    from sentence_transformers import SentenceTransformer

    encoder = build(tokenizer, **{key: value for key, value in changes.items() if key != "head"})
    if head := changes.get("head"):
        for tower in encoder.towers().values():
            tower.normalised = head == "normalised"
        encoder = prepared(encoder, "head").eval()
        for tower in encoder.towers().values():
            torch.nn.init.normal_(tower.head.weight)
    encoder.save(tmp_path / "encoder", tokenizer, 64)
    loaded = DualEncoder.load(tmp_path / "encoder")
    assert loaded.fingerprint() == encoder.fingerprint()
    assert loaded.shared == encoder.shared
    for side in ("query", "passage"):
        here = encode(getattr(encoder, side), tokens(tokenizer), tokenizer.pad_token_id)
        again = encode(getattr(loaded, side), tokens(tokenizer), tokenizer.pad_token_id)
        assert np.array_equal(here, again)
        folder = tmp_path / "encoder" if encoder.shared else tmp_path / "encoder" / side
        elsewhere = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
        np.testing.assert_allclose(elsewhere, here, rtol=1e-4, atol=1e-5)


def test_idf_weights_count_documents_not_occurrences(tokenizer):
    idf = inverse_document_frequency(tokens(tokenizer), len(tokenizer), tokenizer.all_special_ids)
    red, tree, night = (tokenizer.convert_tokens_to_ids(word) for word in ("red", "tree", "night"))
    assert idf[red] == pytest.approx(np.log(4 / 2))
    assert idf[tree] == pytest.approx(np.log(4 / 2))
    assert idf[night] == pytest.approx(np.log(4 / 1))
    assert (idf[tokenizer.all_special_ids] == 0).all()


def test_padding_changes_no_embedding(tokenizer):
    encoder = build(tokenizer, pooling="idf-mean")
    together = encode(encoder.query, tokens(tokenizer), tokenizer.pad_token_id)
    alone = [
        encode(encoder.query, tokens(tokenizer), tokenizer.pad_token_id, np.array([row])) for row in range(4)
    ]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-4, atol=1e-6)


def test_separate_towers_differ(tokenizer):
    encoder = build(tokenizer, towers="separate")
    pad = tokenizer.pad_token_id
    one, other = (encode(tower, tokens(tokenizer), pad) for tower in (encoder.query, encoder.passage))
    assert not np.allclose(one, other)


def test_a_missing_or_foreign_folder_is_a_clear_error(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        DualEncoder.load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="missing"):
        DualEncoder.load(tmp_path / "empty")


def test_a_corrupt_weight_file_is_a_clear_error(tokenizer, tmp_path):
    build(tokenizer).save(tmp_path, tokenizer, 64)
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(UserError, match="corrupt encoder"):
        DualEncoder.load(tmp_path)


def test_a_start_that_cannot_be_loaded_is_a_clear_error(tokenizer, tmp_path):
    with pytest.raises(UserError, match=r"no checkpoint at '.*nowhere'"):
        build(tokenizer, start=str(tmp_path / "nowhere"))


def test_a_local_transformers_folder_can_be_the_start(tokenizer, tmp_path):
    first = build(tokenizer)
    first.save(tmp_path, tokenizer, 64)
    again = build(tokenizer, start=str(tmp_path), pooling=None)
    pad = tokenizer.pad_token_id
    np.testing.assert_allclose(
        encode(first.query, tokens(tokenizer), pad), encode(again.query, tokens(tokenizer), pad), rtol=1e-5
    )
