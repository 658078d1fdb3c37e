"""Encoders from anywhere give the embeddings that those who trained them get."""

from __future__ import annotations

import gc
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import harness
from harness.collections.collection import Collection, Queries
from harness.collections.tokens import build_tokens, learn_tokenizer, load_tokens
from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.errors import UserError

DOCUMENTS = (
    "red apples fall",
    "green pears fall from a tree",
    "the tree is green",
    "a red sky at night " * 6,
)
QUERIES = ("what falls", "which sky is red at night")


@pytest.fixture(scope="module")
def collection() -> Collection:
    ids = tuple(f"d{number}" for number in range(len(DOCUMENTS)))
    return Collection("fruit", False, ids, DOCUMENTS, {"test": Queries(("a", "b"), QUERIES, {}, {})})


@pytest.fixture(scope="module")
def tokenizer():
    return learn_tokenizer([*DOCUMENTS, *QUERIES] * 3, 120)


@pytest.fixture
def plain(tokenizer, tmp_path) -> Path:
    """The folder of a model of `transformers`, which says nothing of pooling."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=40,
        pad_token_id=tokenizer.pad_token_id,
    )
    transformers.BertModel(config).save_pretrained(tmp_path / "plain")
    tokenizer.save_pretrained(tmp_path / "plain")
    return tmp_path / "plain"


def sentence_transformer(plain: Path, *, pooling: str = "mean", normalised: bool = False, old: bool = False):
    """Save the model as `SentenceTransformer` does, today or in the files that lie on the hub."""
    from sentence_transformers import SentenceTransformer, models

    transformer = models.Transformer(str(plain), max_seq_length=20)
    modules = [transformer, models.Pooling(16, pooling_mode=pooling)]
    modules += [models.Normalize()] if normalised else []
    model = SentenceTransformer(modules=modules, device="cpu")
    folder = plain.with_name("sentence")
    model.save(str(folder))
    if not normalised:  # it writes `cosine` for every encoder
        edit(folder / "config_sentence_transformers.json", similarity_fn_name="dot")
    if old:
        modes = {f"pooling_mode_{name}_tokens": name == pooling for name in ("mean", "max")}
        old_config = {"word_embedding_dimension": 16, "pooling_mode_cls_token": pooling == "cls", **modes}
        (folder / "1_Pooling/config.json").write_text(json.dumps(old_config))
        (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 20, "do_lower_case": false}')
    return folder, model


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refused(*arguments, **more) -> str:
    with pytest.raises(UserError) as caught:
        harness.load_encoder(*arguments, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(("pooling", "normalised"), [("mean", True), ("mean", False), ("cls", True)])
def test_a_sentence_transformer_embeds_here_as_there(plain, collection, pooling, normalised, old):
    folder, model = sentence_transformer(plain, pooling=pooling, normalised=normalised, old=old)
    retriever = harness.load_encoder(folder, collection)
    np.testing.assert_allclose(retriever.documents, model.encode(list(DOCUMENTS)), atol=1e-6)
    np.testing.assert_allclose(retriever.queries("test"), model.encode(list(QUERIES)), atol=1e-6)
    assert retriever.tokens.documents.lengths.max() == 20
    assert np.allclose(np.linalg.norm(retriever.documents, axis=1), 1, atol=1e-6) == normalised


def test_a_score_scale_is_a_factor_on_both_embeddings(plain, collection):
    own = harness.load_encoder(plain, collection, pooling="cls")
    scaled = harness.load_encoder(plain, collection, pooling="cls", score_scale=3.0)
    np.testing.assert_allclose(scaled.documents, 3 * own.documents, rtol=1e-6)
    np.testing.assert_allclose(scaled.queries("test"), 3 * own.queries("test"), rtol=1e-6)
    for factor in (0.0, -1.0, float("nan"), float("inf")):
        assert "is no positive number" in refused(plain, collection, pooling="cls", score_scale=factor)


def test_a_plain_model_needs_its_pooling_named(plain, collection):
    assert "add pooling='mean' or pooling='cls'" in refused(plain, collection)
    retriever = harness.load_encoder(plain, collection, pooling="cls")
    model, tokenizer = (
        kind.from_pretrained(plain) for kind in (transformers.AutoModel, transformers.AutoTokenizer)
    )
    first = model(**tokenizer(DOCUMENTS[1], return_tensors="pt")).last_hidden_state[0, 0]
    np.testing.assert_allclose(retriever.documents[1], first.detach(), atol=1e-6)
    assert "did you mean 'mean'" in refused(plain, collection, pooling="maen")


def test_a_normalised_encoder_that_is_saved_opens_alike(plain, collection, tokenizer, tmp_path):
    from sentence_transformers import SentenceTransformer

    tower = Tower(transformers.AutoModel.from_pretrained(plain), pooling="mean", normalised=True, scale=3.0)
    DualEncoder(tower, tower).save(tmp_path / "saved", tokenizer, 40)
    retriever = harness.load_encoder(tmp_path / "saved", collection)
    np.testing.assert_allclose(np.linalg.norm(retriever.documents, axis=1), 3, rtol=1e-6)
    elsewhere = SentenceTransformer(str(tmp_path / "saved"), device="cpu").encode(list(DOCUMENTS))
    np.testing.assert_allclose(retriever.documents, elsewhere, atol=1e-5)


def test_two_towers_of_the_harness(plain, collection, tokenizer, tmp_path):
    towers = [
        Tower(transformers.AutoModel.from_pretrained(plain, add_pooling_layer=False), pooling=how)
        for how in ("mean", "cls")
    ]
    encoder = DualEncoder(*towers).eval()
    encoder.save(tmp_path / "saved", tokenizer, 40)
    retriever = harness.load_encoder(tmp_path / "saved", collection, query_tokens=8, passage_tokens=16)
    assert retriever.encoder.fingerprint() == encoder.fingerprint() and not retriever.encoder.shared
    assert (retriever.tokens.documents.lengths.max(), retriever.tokens.queries["test"].lengths.max()) == (
        16,
        8,
    )


def test_several_that_store_the_same_tokens_at_once_make_them_once(plain, collection, tmp_path, monkeypatch):
    made: list[Path] = []

    def slow(collection, folder, **settings):
        if not (folder / "done.json").exists():
            made.append(folder)
            time.sleep(0.2)
        return build_tokens(collection, folder, **settings)

    monkeypatch.setattr("harness.api.encoder.build_tokens", slow)
    monkeypatch.setattr("harness.storage.leases.POLL_S", 0.01)

    def load(_: int) -> int:
        retriever = harness.load_encoder(plain, collection, pooling="mean", tokens=tmp_path / "kept")
        return len(retriever.tokens.documents)

    with ThreadPoolExecutor(4) as pool:  # each with a lock of its own, as processes have
        assert list(pool.map(load, range(4))) == [len(DOCUMENTS)] * 4
    assert len(made) == 1
    assert [path.name for path in (tmp_path / "kept").glob("*.tmp")] == []


def test_tokens_of_another_name_are_told(plain, collection, tmp_path):
    for longest in (6, 8):
        harness.load_encoder(
            plain, collection, pooling="mean", passage_tokens=longest, tokens=tmp_path / "kept"
        )
    one, other = (path.parent for path in sorted((tmp_path / "kept").glob("*/done.json")))
    shutil.rmtree(one)
    shutil.copytree(other, one)
    with pytest.raises(UserError, match=f"these are the tokens of {other.name}; delete the folder {one} and"):
        load_tokens(one)


def test_tokens_are_stored_by_what_they_depend_on_or_go_with_what_uses_them(plain, collection, tmp_path):
    folder = tmp_path / "kept"
    for longest in (6, 8, 8):
        retriever = harness.load_encoder(
            plain, collection, pooling="mean", passage_tokens=longest, tokens=folder
        )
        assert retriever.tokens.documents.lengths.max() == longest
    assert len(list(folder.glob("*/done.json"))) == 2
    folder = harness.load_encoder(plain, collection, pooling="mean").tokens.tokenizer_folder
    gc.collect()
    assert not folder.exists()


def test_pooling_that_contradicts_the_checkpoint(plain, collection):
    folder, _ = sentence_transformer(plain)
    assert "pools by mean, not by cls; leave pooling= out" in refused(folder, collection, pooling="cls")


def test_modules_and_poolings_that_are_not_read_here(plain, collection):
    folder, _ = sentence_transformer(plain, pooling="max")
    assert "its pooling is max" in refused(folder, collection)
    modules = json.loads((folder / "modules.json").read_text())
    modules.append(
        {"idx": 2, "name": "2", "path": "2_Dropout", "type": "sentence_transformers.models.Dropout"}
    )
    (folder / "modules.json").write_text(json.dumps(modules))
    assert "its modules are Transformer, Pooling, Dropout" in refused(folder, collection)


def test_a_tokenizer_that_does_not_belong_to_its_encoder(plain, collection):
    config = json.loads((plain / "config.json").read_text())
    wide = transformers.BertConfig(**config | {"vocab_size": 5000})
    transformers.BertModel(wide).save_pretrained(plain)
    assert "pieces, but its encoder has 5000 word vectors; put the tokenizer" in refused(
        plain, collection, pooling="mean"
    )
    narrow = transformers.BertConfig(**config | {"vocab_size": 50})
    transformers.BertModel(narrow).save_pretrained(plain)
    assert "but its encoder has 50 word vectors" in refused(plain, collection, pooling="mean")


def test_a_checkpoint_without_tokenizer_or_weights(plain, collection, tmp_path):
    from safetensors.torch import load_file, save_file

    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(plain / name, bare)
    assert "it has no tokenizer; put its tokenizer there" in refused(bare, collection, pooling="mean")
    weights = load_file(plain / "model.safetensors")
    rest = {key: value for key, value in weights.items() if "layer.1." not in key}
    save_file(rest, plain / "model.safetensors", metadata={"format": "pt"})
    assert "has no weights of encoder.layer.1." in refused(plain, collection, pooling="mean")
    assert "no checkpoint at" in refused(tmp_path / "nowhere", collection)


def test_texts_longer_than_an_encoder_can_read(plain, collection):
    message = refused(plain, collection, pooling="mean", passage_tokens=41)
    assert "passage_tokens 41 is more than the 40 that it reads" in message
