"""A released checkpoint gives the vectors and scores that its own model gives, or is refused in one line."""

from __future__ import annotations

import collections
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file

from harness.cli.application import app
from harness.collections.pairs import Pairs
from harness.collections.tokens import Ragged, learn_tokenizer
from harness.encoders.pretrained import read_encoder
from harness.encoders.ranker import CrossEncoder, build_ranker
from harness.encoders.released import convert
from harness.errors import UserError
from tests.released import save_ranker, save_retriever, sizes_of

TEXTS = ["red apples fall", "green pears fall from a tree", "the tree is green", "a red sky at night " * 6]
QUERIES = ["red", "which tree is green", "night sky"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return learn_tokenizer(TEXTS * 3 + QUERIES, 120)


@pytest.fixture(scope="module")
def start(tokenizer, tmp_path_factory) -> Path:
    """The encoder that checkpoints were trained from, of four token types like ERNIE."""
    folder = tmp_path_factory.mktemp("start")
    tokenizer.save_pretrained(folder)
    said = {"model_type": "ernie"} | sizes_of(len(tokenizer), types=4)
    (folder / "config.json").write_text(json.dumps(said))
    return folder


def converted(file: Path, start: Path, **others: str) -> Path:
    folder = file.with_name(f"{file.name}-folder")
    convert(file, folder, **{"config": str(start), "tokenizer": str(start), **others})
    return folder


def rewritten(file: Path, change: Any) -> Path:
    content = torch.load(file, weights_only=True)
    change(content["model_dict"])
    torch.save(content, file)
    return file


def test_a_retriever_embeds_as_its_two_towers_do(start: Path, tokenizer: Any, tmp_path: Path) -> None:
    towers = save_retriever(tmp_path / "nq.pkl", len(tokenizer), types=4)
    folder = converted(tmp_path / "nq.pkl", start)
    loaded = read_encoder(str(folder))
    assert not loaded.encoder.shared and loaded.most == 64
    for made, texts, tower in (
        (loaded.encoder.query, QUERIES, towers[0]),
        (loaded.encoder.passage, TEXTS, towers[1]),
    ):
        read = tokenizer(texts, padding=True, return_tensors="pt")
        ids, mask = read["input_ids"], read["attention_mask"]
        with torch.inference_mode():
            expected = tower(input_ids=ids, attention_mask=mask).last_hidden_state[:, 0]
            torch.testing.assert_close(made(ids, mask), expected, rtol=0, atol=1e-6)
    assert not any("pooler" in name for name in loaded.encoder.weights())


def test_a_ranker_scores_as_a_linear_map_of_cls_without_token_types(
    start: Path, tokenizer: Any, tmp_path: Path
) -> None:
    bert, linear = save_ranker(tmp_path / "reranker", len(tokenizer), types=4)
    folder = converted(tmp_path / "reranker", start)
    ranker = CrossEncoder.load(folder)
    assert not ranker.typed
    ids, mask, types = pairs(tokenizer).padded(np.arange(12), tokenizer.pad_token_id)
    arrays = [torch.from_numpy(one) for one in (ids, mask, types)]
    with torch.inference_mode():
        made = ranker(*arrays)
        expected = linear(bert(input_ids=arrays[0], attention_mask=arrays[1]).last_hidden_state[:, 0])[:, 0]
    torch.testing.assert_close(made, expected, rtol=0, atol=1e-6)
    assert np.ptp(made.numpy()) > 1e-3


def pairs(tokenizer: Any) -> Pairs:
    def ragged(texts: list[str]) -> Ragged:
        ids = tokenizer(texts)["input_ids"]
        return Ragged(np.concatenate(ids).astype(np.int32), np.cumsum([0, *map(len, ids)]))

    query, document = np.divmod(np.arange(12), 4)
    return Pairs(ragged(QUERIES), ragged(TEXTS), query, document, 24)


def test_a_ranker_starts_from_it_and_is_saved_with_its_linear_head(
    start: Path, tokenizer: Any, tmp_path: Path
) -> None:
    save_ranker(tmp_path / "reranker", len(tokenizer), types=4)
    folder = converted(tmp_path / "reranker", start)
    tokens: Any = SimpleNamespace(tokenizer_folder=start, vocabulary=len(tokenizer), pad=0)
    ranker = build_ranker(SimpleNamespace(start=str(folder)), tokens=tokens, words=torch.empty(0), longest=24)
    assert ranker.fingerprint() == CrossEncoder.load(folder).fingerprint()
    ranker.train()
    ids, mask, types = map(torch.from_numpy, pairs(tokenizer).padded(np.arange(12), 0))
    ranker(ids, mask, types).sum().backward()
    assert all(parameter.grad is not None for parameter in ranker.parameters())
    typed = transformers.PreTrainedTokenizerFast.from_pretrained(start)
    typed.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    ranker.eval().save(tmp_path / "again", typed, 24)
    again = CrossEncoder.load(tmp_path / "again")
    assert again.fingerprint() == ranker.fingerprint()
    config = json.loads((tmp_path / "again/config.json").read_text())
    assert config["architectures"] == ["BertForTokenClassification"] and "sentence_transformers" not in config
    read = transformers.AutoTokenizer.from_pretrained(tmp_path / "again")(
        QUERIES[:1], TEXTS[:1], return_tensors="pt"
    )
    assert "token_type_ids" not in read
    opened = transformers.AutoModelForTokenClassification.from_pretrained(tmp_path / "again").eval()
    with torch.inference_mode():
        elsewhere, here = opened(**read).logits[0, 0, 0], ranker.eval()(ids[:1], mask[:1], types[:1])[0]
    length = int(mask[0].sum())
    assert read["input_ids"][0].tolist() == ids[0, :length].tolist()
    assert float(elsewhere) == pytest.approx(float(here), abs=1e-6)


def test_a_head_for_sequences_stays_one(tokenizer: Any, tmp_path: Path) -> None:
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8, num_labels=1,
    )  # fmt: skip
    CrossEncoder(transformers.BertForSequenceClassification(config)).save(tmp_path, tokenizer, 24)
    assert CrossEncoder.load(tmp_path).model.config.architectures == ["BertForSequenceClassification"]


def test_weights_of_nothing_are_left_out(start: Path, tokenizer: Any, tmp_path: Path) -> None:
    """Positions that old `transformers` saved, a pooler, AR2's second head: the same folder."""
    save_ranker(tmp_path / "reranker", len(tokenizer), types=4)
    plain = load_file(converted(tmp_path / "reranker", start) / "model.safetensors")
    more = {
        "encoder.embeddings.position_ids": torch.arange(64)[None],
        "encoder.pooler.dense.weight": torch.ones(16, 16),
        "binary.weight": torch.zeros(2, 16),
    }
    (tmp_path / "more").write_bytes((tmp_path / "reranker").read_bytes())
    rewritten(tmp_path / "more", lambda weights: weights.update(more))
    again = load_file(converted(tmp_path / "more", start) / "model.safetensors")
    assert plain.keys() == again.keys() and all(torch.equal(plain[name], again[name]) for name in plain)


class Nowhere:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("ran"),))


def nothing(weights: dict) -> None:
    """Leave the weights as they are."""


def renamed(weights: dict) -> None:
    content = {f"roberta.{name}": one for name, one in weights.items()}
    weights.clear()
    weights.update(content | {"embeddingHead.weight": torch.eye(2)})


DEEPER = "question_model.encoder.layer.1.output.dense.bias"


@pytest.mark.parametrize(
    ("change", "sizes", "expected"),
    [
        (lambda weights: weights.pop(DEEPER), {}, f"it has no weights of {DEEPER};"),
        (nothing, {"num_hidden_layers": 3}, r"no weights of (ctx_model.\S+layer.2.\S+ ){3}and 29 others"),
        (nothing, {"num_hidden_layers": 1}, r"no place for the weights of (ctx_model.\S+ ){3}and 29 others"),
        (nothing, {"type_vocab_size": 2}, r"type_embeddings.weight is 4 x 16, and 2 x 16 by config.json"),
        (nothing, {"num_attention_heads": None}, "its config.json says no num_attention_heads"),
        (nothing, {"num_attention_heads": 3}, "config.json has sizes that are none"),
        (nothing, {"model_type": "roberta"}, "a model of type roberta, and no BERT"),
        (renamed, {}, "a model of type ernie, and no RoBERTa"),
        (lambda weights: weights.clear(), {}, "it has no weights by name"),
        (lambda weights: weights[DEEPER].fill_(float("nan")), {}, "not all finite numbers"),
    ],
)  # fmt: skip
def test_what_is_not_whole_or_of_other_sizes_is_refused_in_one_line(
    change: Any, sizes: dict, expected: str, start: Path, tokenizer: Any, tmp_path: Path
) -> None:
    save_retriever(tmp_path / "nq.pkl", len(tokenizer), types=4)
    rewritten(tmp_path / "nq.pkl", change)
    own = json.loads((start / "config.json").read_text()) | sizes
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.json").write_text(json.dumps(own))
    with pytest.raises(UserError, match=expected) as raised:
        converted(tmp_path / "nq.pkl", start, config=str(tmp_path / "config"))
    assert "\n" not in str(raised.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "nq.pkl"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (Nowhere(), "no checkpoint could be read: it is a pickle that would run code"),
        ({"model_dict": {"a": Nowhere()}}, r"a pickle that would run code \(\S+\)"),
        ({"weights": {}}, "it has no weights by name, neither itself nor below `model_dict`"),
        ([torch.ones(2)], "it has no weights by name, neither itself nor below `model_dict`"),
        ({"model_dict": {"a": 3}}, "it has no weights by name, neither itself nor below `model_dict`"),
    ],
)
def test_no_code_of_a_file_runs(
    content: Any, expected: str, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(content, tmp_path / "file")
    with pytest.raises(UserError, match=expected) as raised:
        converted(tmp_path / "file", start)
    assert "\n" not in str(raised.value) and not (tmp_path / "ran").exists()


def test_other_files_tokenizers_and_places_are_refused(start: Path, tokenizer: Any, tmp_path: Path) -> None:
    save_retriever(tmp_path / "nq.pkl", len(tokenizer), types=4)
    (tmp_path / "broken").write_bytes((tmp_path / "nq.pkl").read_bytes()[:-100])
    with pytest.raises(UserError, match="no checkpoint could be read"):
        converted(tmp_path / "broken", start)
    with pytest.raises(UserError, match="no such file"):
        converted(tmp_path / "nowhere", start)
    learn_tokenizer([f"{a}{b}" for a in "abcdefghij" for b in "klmnopqrst"] * 3, 300).save_pretrained(
        tmp_path / "other"
    )
    with pytest.raises(UserError, match=r"its tokenizer has \d+ pieces, but its encoder has"):
        converted(tmp_path / "nq.pkl", start, tokenizer=str(tmp_path / "other"))
    with pytest.raises(UserError, match=r"no checkpoint at '.*nothing'"):
        converted(tmp_path / "nq.pkl", start, config=str(tmp_path / "nothing"))
    converted(tmp_path / "nq.pkl", start)
    with pytest.raises(UserError, match="this is there already; name another folder"):
        converted(tmp_path / "nq.pkl", start)


def test_a_file_of_the_old_format_is_read(start: Path, tokenizer: Any, tmp_path: Path) -> None:
    """Torch before 1.6 wrote no zip files."""
    save_ranker(tmp_path / "reranker", len(tokenizer), types=4)
    content = collections.OrderedDict(torch.load(tmp_path / "reranker", weights_only=True))
    torch.save(content, tmp_path / "old", _use_new_zipfile_serialization=False)
    new, old = converted(tmp_path / "reranker", start), converted(tmp_path / "old", start)
    assert CrossEncoder.load(old).fingerprint() == CrossEncoder.load(new).fingerprint()


def test_the_command_says_what_it_made(start: Path, tokenizer: Any, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    save_retriever(tmp_path / "nq.pkl", len(tokenizer), types=4)
    call = ["convert", str(tmp_path / "nq.pkl"), str(tmp_path / "nq"), "--config", str(start)]
    said = CliRunner().invoke(app, [*call, "--tokenizer", str(start)])
    assert said.exit_code == 0 and "holds the retriever" in said.output
