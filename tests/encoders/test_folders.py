"""Folders of all kinds: the vectors that SentenceTransformer gives, at both doors, or a refusal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import harness
from harness.collections.collection import Collection, Queries
from harness.collections.tokenizer import load_tokenizer
from harness.collections.tokens import learn_tokenizer
from harness.encoders.build import build_dual_encoder
from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.encoders.pretrained import read_encoder
from harness.errors import UserError
from harness.retrieval.encode import encode

TEXTS = ("Red Apples fall", "green pears fall from a tree", "The tree is GREEN", "a red sky at night " * 3)
PLACES = 40


class Settings(NamedTuple):
    """What a scale says of an encoder."""

    start: str
    pooling: str | None = None
    projection: int | None = None
    score_scale: float = 1.0
    token_dropout: float = 0.0
    towers: str | None = None


@pytest.fixture(scope="module")
def collection() -> Collection:
    ids = tuple(f"d{number}" for number in range(len(TEXTS)))
    return Collection("fruit", False, ids, TEXTS, {"test": Queries(("a",), ("what falls",), {}, {})})


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return learn_tokenizer([*TEXTS, *(text.lower() for text in TEXTS)] * 3, 120)


def sizes(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 24,
        "max_position_embeddings": PLACES,
        "pad_token_id": tokenizer.pad_token_id,
    }


def plain(folder: Path, tokenizer: Any, kind: str = "Bert", **more: Any) -> Path:
    """Save a model of `transformers` with its tokenizer."""
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**{**sizes(tokenizer), **more})
    getattr(transformers, f"{kind}Model")(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def sentence(folder: Path, modules: str = "Pooling Normalize", pooling: str = "mean", **config: Any) -> Path:
    """Write what SentenceTransformer writes beside a model; what is given more stands in its settings."""
    entries = [("", "Transformer"), *((f"{n}_{kind}", kind) for n, kind in enumerate(modules.split(), 1))]
    written = [
        {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for n, (path, kind) in enumerate(entries)
    ]
    (folder / "modules.json").write_text(json.dumps(written))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    settings = {"embedding_dimension": 16, "pooling_mode": pooling, "include_prompt": True}
    (folder / "1_Pooling/config.json").write_text(json.dumps(settings))
    (folder / "2_Normalize").mkdir(exist_ok=True)
    scores = {"similarity_fn_name": "cosine" if "Normalize" in modules else "dot", **config}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(scores))
    return folder


def edit(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(content | changes))


T5 = {"d_model": 16, "num_layers": 2, "num_heads": 2, "d_ff": 24, "d_kv": 8}
ROBERTA = {"max_position_embeddings": PLACES + 4, "type_vocab_size": 1}


def t5_encoder(folder: Path, tokenizer: Any) -> Path:
    torch.manual_seed(0)
    config = transformers.T5Config(**{**sizes(tokenizer), **T5}, is_encoder_decoder=False, use_cache=False)
    transformers.T5EncoderModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def cased(tokenizer: Any) -> Any:
    """The tokenizer of a checkpoint that keeps capital letters."""
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=type(tokenizer.backend_tokenizer).from_str(tokenizer.backend_tokenizer.to_str()),
        pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip
    fast.backend_tokenizer.normalizer = None
    return fast


def lower_case(folder: Path, name: str = "sentence_bert_config.json") -> Path:
    (folder / name).write_text(json.dumps({"max_seq_length": 30, "do_lower_case": True}))
    return folder


def old_pooling(folder: Path) -> Path:
    modes = {
        "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False,
    }
    (folder / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": 16, **modes}))
    return folder


def inside(folder: Path) -> Path:
    (folder / "0_Transformer").mkdir()
    for path in [path for path in folder.iterdir() if path.is_file()]:
        if "sentence" not in path.name and path.name != "modules.json":
            shutil.move(path, folder / "0_Transformer")
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["path"] = "0_Transformer"
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


def longest(folder: Path, tokens: int) -> Path:
    edit(folder / "sentence_bert_config.json", max_seq_length=tokens)
    return folder


def shorter(folder: Path, tokens: int) -> Path:
    edit(folder / "tokenizer_config.json", model_max_length=tokens)
    return folder


def halves(folder: Path) -> Path:
    weights = load_file(folder / "model.safetensors")
    halved = {name: weight.half() for name, weight in weights.items()}
    save_file(
        {name: weight.float() for name, weight in halved.items()},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    return folder


def densely(
    folder: Path, activation: str = "linear.Identity", *, bias: bool = True, scale: float = 1.0
) -> Path:
    """Write the files of a map to 12 values and of a LayerNorm where the modules have them."""
    generator = torch.Generator().manual_seed(3)
    linear = {"linear.weight": torch.randn(12, 16, generator=generator) * scale}
    linear |= {"linear.bias": torch.randn(12, generator=generator)} if bias else {}
    norm = {name: torch.randn(12, generator=generator) for name in ("norm.weight", "norm.bias")}
    config = {"in_features": 16, "out_features": 12, "bias": bias}
    config["activation_function"] = f"torch.nn.modules.{activation}"
    for module in json.loads((folder / "modules.json").read_text())[2:]:
        path, kind = folder / module["path"], module["type"].rpartition(".")[2]
        if kind != "Normalize":
            path.mkdir()
            save_file(linear if kind == "Dense" else norm, path / "model.safetensors")
            (path / "config.json").write_text(json.dumps(config if kind == "Dense" else {"dimension": 12}))
    return folder


def pickled(folder: Path) -> Path:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


def ours(folder: Path, tokenizer: Any) -> Path:
    model = transformers.BertModel(transformers.BertConfig(**sizes(tokenizer)), add_pooling_layer=False)
    tower = Tower(model.eval(), pooling="mean", normalised=True)
    DualEncoder(tower, tower).save(folder, tokenizer, 30)
    return folder


KINDS: dict[str, Callable[[Path, Any], Path]] = {
    "BERT": lambda f, t: sentence(plain(f, t)),
    "not normalised": lambda f, t: sentence(plain(f, t), "Pooling"),
    "pools by cls": lambda f, t: sentence(plain(f, t), pooling="cls"),
    "RoBERTa": lambda f, t: sentence(plain(f, t, "Roberta", **ROBERTA)),
    "XLM-R": lambda f, t: sentence(plain(f, t, "XLMRoberta", **ROBERTA)),
    "CamemBERT": lambda f, t: sentence(plain(f, t, "Camembert", **ROBERTA)),
    "MPNet": lambda f, t: sentence(plain(f, t, "MPNet", max_position_embeddings=PLACES + 4)),
    "DistilBERT": lambda f, t: sentence(
        plain(f, t, "DistilBert", dim=16, n_layers=2, n_heads=2, hidden_dim=24)
    ),
    "ALBERT": lambda f, t: sentence(plain(f, t, "Albert", embedding_size=8)),
    "ELECTRA": lambda f, t: sentence(plain(f, t, "Electra", embedding_size=8)),
    "DeBERTa v2": lambda f, t: sentence(plain(f, t, "DebertaV2")),
    "ModernBERT": lambda f, t: sentence(plain(f, t, "ModernBert", cls_token_id=2, sep_token_id=3)),
    "T5, whole": lambda f, t: sentence(plain(f, t, "T5", **T5, decoder_start_token_id=0)),
    "T5, its encoder": lambda f, t: sentence(t5_encoder(f, t)),
    "older names of pooling": lambda f, t: old_pooling(sentence(plain(f, t))),
    "lower case asked for": lambda f, t: lower_case(sentence(plain(f, cased(t)))),
    "lower case under an older name": lambda f, t: lower_case(
        sentence(plain(f, cased(t), "Roberta", **ROBERTA)), "sentence_roberta_config.json"
    ),
    "cased": lambda f, t: sentence(plain(f, cased(t))),
    "encoder in a folder of its own": lambda f, t: inside(sentence(plain(f, t))),
    "a longest text": lambda f, t: longest(sentence(plain(f, t)), 9),
    "a longest text of the tokenizer": lambda f, t: shorter(sentence(plain(f, t)), 9),
    "weights in halves": lambda f, t: halves(sentence(plain(f, t))),
    "weights by pickle": lambda f, t: pickled(sentence(plain(f, t))),
    "prompts": lambda f, t: sentence(plain(f, t), prompts={"query": "red ", "document": "green "}),
    "a prompt of queries": lambda f, t: sentence(plain(f, t), prompts={"query": "red ", "sts": "tree "}),
    "empty prompts": lambda f, t: sentence(plain(f, t), prompts={"query": "", "document": ""}),
    "of the harness": ours,
    "Dense": lambda f, t: densely(sentence(plain(f, t), "Pooling Dense", pooling="cls")),
    "Dense without a bias, Normalize": lambda f, t: densely(
        sentence(plain(f, t), "Pooling Dense Normalize"), bias=False
    ),
    "Dense and tanh": lambda f, t: densely(sentence(plain(f, t), "Pooling Dense"), "activation.Tanh"),
    "ANCE": lambda f, t: densely(
        sentence(plain(f, t, "Roberta", **ROBERTA), "Pooling Dense LayerNorm", pooling="cls")
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_vectors_at_both_doors(
    kind: str, tokenizer: Any, collection: Collection, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    folder = KINDS[kind](tmp_path / "folder", tokenizer)
    expected = SentenceTransformer(str(folder), device="cpu").encode_document(list(TEXTS))
    retriever = harness.load_encoder(folder, collection)
    np.testing.assert_allclose(retriever.documents, expected, atol=1e-5)
    settings = Settings(str(folder))
    idf, most = np.ones(len(tokenizer), np.float32), read_encoder(str(folder)).longest
    assert most is not None
    started = build_dual_encoder(settings, vocabulary=0, pad=0, idf=idf, longest=most)
    store = retriever.tokens
    np.testing.assert_allclose(encode(started.query, store.documents, store.pad), expected, atol=1e-5)


@pytest.mark.parametrize(
    "prompts", [{"query": "red ", "document": "green "}, {"query": "fall "}, {"document": "a tree: "}]
)
def test_prompts_are_put_before_texts_and_saved(
    prompts: dict[str, str], tokenizer: Any, collection: Collection, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    folder = sentence(plain(tmp_path / "folder", tokenizer), prompts=prompts)
    retriever = harness.load_encoder(folder, collection)
    store, texts = retriever.tokens, list(collection.queries["test"].texts)
    kept = load_tokenizer(str(store.tokenizer_folder))
    started(Settings(str(folder)), tokenizer).save(tmp_path / "saved", kept, PLACES)
    for opened in (folder, tmp_path / "saved"):
        theirs = SentenceTransformer(str(opened), device="cpu")
        queries = encode(retriever.encoder.query, store.queries["test"], store.pad)
        np.testing.assert_allclose(queries, theirs.encode_query(texts), atol=1e-5)
        np.testing.assert_allclose(retriever.documents, theirs.encode_document(list(TEXTS)), atol=1e-5)
    again = harness.load_encoder(tmp_path / "saved", collection)
    assert np.array_equal(again.tokens.documents.flat, store.documents.flat)


def foreign(folder: Path) -> Path:
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["type"] = "fruit.Transformer"
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


def setting(folder: Path, name: str = "sentence_bert_config.json", **changes: Any) -> Path:
    edit(folder / name, **changes)
    return folder


def dense_setting(folder: Path, tokenizer: Any, **changes: Any) -> Path:
    densely(sentence(plain(folder, tokenizer), "Pooling Dense"))
    return setting(folder, "2_Dense/config.json", **changes)


def config(folder: Path, **changes: Any) -> Path:
    return setting(folder, "config.json", **changes)


def text(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content)
    return folder


def listed(folder: Path) -> Path:
    return text(folder, "sentence_bert_config.json", "[1]")


def bare(folder: Path) -> Path:
    return text(folder, "harness_tower.json", "{}")


def dpr(folder: Path, tokenizer: Any) -> Path:
    config = transformers.DPRConfig(**sizes(tokenizer))
    transformers.DPRContextEncoder(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return sentence(folder)


def lora(folder: Path) -> Path:
    return text(folder, "adapter_config.json", json.dumps({"peft_type": "LORA"}))


def weights(folder: Path, value: float) -> Path:
    changed = load_file(folder / "model.safetensors")
    changed["encoder.layer.1.output.dense.weight"][0, 0] = value
    save_file(changed, folder / "model.safetensors", {"format": "pt"})
    return folder


def whole(folder: Path) -> Path:
    changed = load_file(folder / "model.safetensors")
    name = "encoder.layer.1.output.dense.weight"
    save_file(changed | {name: changed[name].to(torch.int8)}, folder / "model.safetensors", {"format": "pt"})
    return folder


def pointer(folder: Path, name: str = "model.safetensors") -> Path:
    return text(folder, name, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90\n")


def cut(folder: Path, size: int) -> Path:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:size])
    return folder


REFUSED: dict[str, tuple[Callable[[Path, Any], Path], str]] = {
    "cosines of vectors that are not normalised": (
        lambda f, t: sentence(plain(f, t), "Pooling", similarity_fn_name="cosine"),
        "its scores are cosines, and its embeddings are not normalised; add a Normalize module",
    ),
    "another similarity": (
        lambda f, t: sentence(plain(f, t), similarity_fn_name="manhattan"),
        "its scores are of kind manhattan",
    ),
    "a prompt of passages": (
        lambda f, t: sentence(plain(f, t), prompts={"query": "query: ", "passage": "passage: "}),
        "it has a prompt for `passage` and none for `document`",
    ),
    "prompts left out of pooling": (
        lambda f, t: setting(
            sentence(plain(f, t), prompts={"query": "query: "}), "1_Pooling/config.json", include_prompt=False
        ),
        "it leaves its prompts out of pooling",
    ),
    "no texts as prompts": (
        lambda f, t: sentence(plain(f, t), prompts={"query": 7}),
        "are no texts by name",
    ),
    "Dense twice": (
        lambda f, t: sentence(plain(f, t), "Pooling Dense Dense"),
        "its modules are Transformer, Pooling, Dense, Dense",
    ),
    "Dense after Normalize": (
        lambda f, t: sentence(plain(f, t), "Pooling Normalize Dense", similarity_fn_name="dot"),
        "its modules are Transformer, Pooling, Normalize, Dense",
    ),
    "Dense that is not there": (
        lambda f, t: sentence(plain(f, t), "Pooling Dense"),
        "2_Dense: it has no config.json",
    ),
    "Dense of other vectors": (
        lambda f, t: dense_setting(f, t, in_features=8),
        "its map is of vectors of 8, and the encoder's have 16",
    ),
    "Dense of another width": (
        lambda f, t: dense_setting(f, t, out_features=9),
        "2_Dense/model.safetensors: its weights cannot be read",
    ),
    "Dense of no width": (lambda f, t: dense_setting(f, t, out_features=None), "out_features None"),
    "Dense of other tokens": (
        lambda f, t: dense_setting(f, t, module_input_name="token_embeddings"),
        "its setting `module_input_name` is not read here",
    ),
    "Dense with another activation": (
        lambda f, t: dense_setting(f, t, activation_function="torch.nn.modules.activation.ReLU"),
        "its activation is torch.nn.modules.activation.ReLU, neither none nor tanh",
    ),
    "Dense of no numbers": (
        lambda f, t: densely(sentence(plain(f, t), "Pooling Dense"), scale=float("nan")),
        "2_Dense/model.safetensors: its weights are not all finite numbers",
    ),
    "LayerNorm of another width": (
        lambda f, t: setting(
            densely(sentence(plain(f, t), "Pooling Dense LayerNorm")), "3_LayerNorm/config.json", dimension=9
        ),
        "3_LayerNorm: its LayerNorm is not of the 12 values",
    ),
    "the last token": (lambda f, t: sentence(plain(f, t), pooling="lasttoken"), "its pooling is lasttoken"),
    "a module of its own": (
        lambda f, t: foreign(sentence(plain(f, t))),
        "its modules are fruit.Transformer; give one of Transformer",
    ),
    "another setting": (
        lambda f, t: setting(sentence(plain(f, t)), query_expansion=True),
        "its setting `query_expansion` is not read here",
    ),
    "a longest text of nothing": (lambda f, t: longest(sentence(plain(f, t)), -3), "max_seq_length is -3"),
    "a decoder": (lambda f, t: config(sentence(plain(f, t)), is_decoder=True), "a decoder (`is_decoder`"),
    "no layers": (lambda f, t: config(sentence(plain(f, t)), num_hidden_layers=-2), "a model of -2 layers"),
    "layers left out": (
        lambda f, t: config(sentence(plain(f, t)), num_hidden_layers=1),
        "config.json leaves out the weights of encoder.layer.1.",
    ),
    "layers that lack": (
        lambda f, t: config(sentence(plain(f, t)), num_hidden_layers=3),
        "has no weights of encoder.layer.2.",
    ),
    "quantised": (
        lambda f, t: config(sentence(plain(f, t)), quantization_config={"quant_method": "none such"}),
        "quantised weights",
    ),
    "other sizes": (
        lambda f, t: config(sentence(plain(f, t)), hidden_size=32),
        "config.json says other sizes than those of",
    ),
    "an unknown type": (
        lambda f, t: config(sentence(plain(f, t)), model_type="fruit"),
        "no encoder could be",
    ),
    "DPR": (dpr, "one of DPR's two encoders"),
    "BART": (
        lambda f, t: sentence(plain(f, t, "Bart", d_model=16, encoder_layers=1, decoder_layers=1)),
        "a model with a decoder (bart)",
    ),
    "an adapter": (lambda f, t: lora(sentence(plain(f, t))), "an adapter (LoRA or the like)"),
    "NaN": (lambda f, t: weights(sentence(plain(f, t)), float("nan")), "are not all finite numbers"),
    "infinite": (lambda f, t: weights(sentence(plain(f, t)), float("inf")), "are not all finite numbers"),
    "whole numbers": (lambda f, t: whole(sentence(plain(f, t))), "are whole numbers"),
    "a pointer": (
        lambda f, t: pointer(sentence(plain(f, t))),
        "model.safetensors stands for a file that git-lfs",
    ),
    "a tokenizer's pointer": (
        lambda f, t: pointer(sentence(plain(f, t)), "tokenizer.json"),
        "tokenizer.json stands for a file that git-lfs has not fetched; run `git lfs pull` there",
    ),
    "cut": (lambda f, t: cut(sentence(plain(f, t)), 1000), "no encoder could be loaded ("),
    "empty": (lambda f, t: cut(sentence(plain(f, t)), 0), "no encoder could be loaded ("),
    "more places than there are": (
        lambda f, t: config(sentence(plain(f, t, "MPNet")), max_position_embeddings=90),
        "config.json says other sizes than those of",
    ),
    "of the harness, without a layer": (
        lambda f, t: config(ours(f, t), num_hidden_layers=3),
        "has no weights of",
    ),
    "of the harness, with another pooling": (
        lambda f, t: setting(ours(f, t), "harness_tower.json", pooling="best"),
        "corrupt encoder (",
    ),
    "of the harness, settings that lack": (lambda f, t: bare(ours(f, t)), "corrupt encoder ("),
    "settings that are none": (lambda f, t: listed(sentence(plain(f, t))), "holds no settings"),
    "modules that are none": (
        lambda f, t: text(sentence(plain(f, t)), "modules.json", '{"a": 1}'),
        "modules.json is no list of modules",
    ),
    "no configuration": (lambda f, t: text(sentence(plain(f, t)), "config.json", "{"), "could be loaded ("),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_read_is_refused_at_both_doors(
    kind: str, tokenizer: Any, collection: Collection, tmp_path: Path
) -> None:
    make, said = REFUSED[kind]
    folder = make(tmp_path / "folder", tokenizer)
    idf = np.ones(len(tokenizer), np.float32)

    def start() -> object:
        settings = Settings(str(folder))
        return build_dual_encoder(settings, vocabulary=0, pad=0, idf=idf, longest=8)

    for door in (lambda: harness.load_encoder(folder, collection), start):
        with pytest.raises(UserError) as caught:
            door()
        assert said in str(caught.value) and "\n" not in str(caught.value)
        assert str(folder) in str(caught.value)


def test_the_code_of_a_checkpoint_never_runs(tokenizer: Any, tmp_path: Path) -> None:
    folder, ran = sentence(plain(tmp_path / "folder", tokenizer)), tmp_path / "ran"
    code = f"import pathlib\npathlib.Path({str(ran)!r}).write_text('ran')\n"
    classes = (
        "from transformers import BertConfig, BertModel\nclass C(BertConfig):\n    model_type = 'fruit'\n"
    )
    (folder / "fruit.py").write_text(code + classes + "class M(BertModel):\n    config_class = C\n")
    config(folder, model_type="fruit", auto_map={"AutoConfig": "fruit.C", "AutoModel": "fruit.M"})
    with pytest.raises(UserError, match="no encoder could be loaded"):
        read_encoder(str(folder))
    assert not ran.exists()


def test_what_a_checkpoint_says_itself_is_not_said_again(tokenizer: Any, tmp_path: Path) -> None:
    folder = str(sentence(plain(tmp_path / "folder", tokenizer)))
    saved = str(ours(tmp_path / "saved", tokenizer))
    bare = str(plain(tmp_path / "bare", tokenizer))
    for settings, said in (
        (
            Settings(folder, "cls"),
            "it says itself how it pools; remove `pooling` beside",
        ),
        (Settings(folder, "mean"), "it says itself how it pools"),
        (Settings(saved, "first-last"), "it says itself how it pools"),
        (Settings(bare), "bare: its pooling is not configured; add `pooling` beside the checkpoint"),
    ):
        with pytest.raises(UserError, match=said):
            started(settings, tokenizer)
    with pytest.raises(UserError, match=f"a longest text of {PLACES + 8} is more than the {PLACES} that it"):
        started(Settings(folder), tokenizer, PLACES + 8)
    assert started(Settings(bare, "first-last"), tokenizer).query.pooling == "first-last"
    separate = started(Settings(saved, towers="separate", projection=4), tokenizer)
    assert not separate.shared and separate.query.normalised and separate.query.dimension == 4


def test_what_the_harness_saved_starts_as_it_is(tokenizer: Any, tmp_path: Path) -> None:
    """Towers, weights of words, projection and factor are its own; a scale's factor comes on top of it."""
    torch.manual_seed(1)

    def tower() -> Tower:
        model = transformers.BertModel(transformers.BertConfig(**sizes(tokenizer)), add_pooling_layer=False)
        words = torch.rand(len(tokenizer))
        return Tower(model.eval(), pooling="idf-mean", idf=words, projection=6, scale=0.5).eval()

    two = DualEncoder(tower(), tower())
    two.save(tmp_path / "two", tokenizer, PLACES)
    ids = torch.tensor(tokenizer(["red apples"])["input_ids"])
    again = started(Settings(str(tmp_path / "two")), tokenizer).eval()
    twice = started(Settings(str(tmp_path / "two"), score_scale=2.0), tokenizer).eval()
    for name in ("query", "passage"):
        there, here, doubled = (getattr(of, name)(ids, torch.ones_like(ids)) for of in (two, again, twice))
        assert torch.equal(there, here) and torch.allclose(2 * there, doubled)
    with pytest.raises(UserError, match="it has a tower for queries and one for passages; remove `towers`"):
        started(Settings(str(tmp_path / "two"), towers="shared"), tokenizer)
    with pytest.raises(UserError, match="its projection is to 6, and 4 in the settings"):
        started(Settings(str(tmp_path / "two"), projection=4), tokenizer)


def test_a_score_scale_stretches_the_cosines_of_a_normalised_checkpoint(
    tokenizer: Any, tmp_path: Path
) -> None:
    """A factor of sqrt(20) on both embeddings is a score of 20 times the cosine."""
    folder = str(sentence(plain(tmp_path / "folder", tokenizer)))
    encoder = started(Settings(folder, score_scale=20**0.5), tokenizer).eval()
    ids = torch.tensor(tokenizer(["red apples"])["input_ids"])
    score = encoder.query(ids, torch.ones_like(ids)) @ encoder.passage(ids, torch.ones_like(ids)).T
    assert torch.allclose(score, torch.tensor([[20.0]]), atol=1e-4)


def started(settings: Settings, tokenizer: Any, longest: int = 8) -> DualEncoder:
    idf = np.ones(len(tokenizer), np.float32)
    return build_dual_encoder(settings, vocabulary=0, pad=0, idf=idf, longest=longest)


def test_an_encoder_that_says_no_longest_text_is_told_one(
    tokenizer: Any, collection: Collection, tmp_path: Path
) -> None:
    folder = plain(
        tmp_path / "folder", tokenizer, "T5", **T5, decoder_start_token_id=0, max_position_embeddings=None
    )
    with pytest.raises(UserError, match="it says no longest text; add query_tokens= and passage_tokens="):
        harness.load_encoder(folder, collection, pooling="mean")
    told = harness.load_encoder(folder, collection, pooling="mean", query_tokens=8, passage_tokens=60)
    assert np.isfinite(told.documents).all()
