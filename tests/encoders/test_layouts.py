"""Each layout that papers released their checkpoints in: the vectors of their models, here and elsewhere."""

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
from torch import Tensor, nn
from typer.testing import CliRunner

from harness.cli.application import app
from harness.collections.tokens import learn_tokenizer
from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.encoders.pretrained import read_encoder
from harness.encoders.ranker import CrossEncoder
from harness.encoders.released import convert
from harness.errors import UserError
from tests import layouts
from tests.layouts import TEXTS, Embed, body, first, folder_of, layer, named, roberta_dot, start, two_towers


class Released(NamedTuple):
    """A checkpoint, what its own model embeds by, and how it is given to `convert`."""

    file: Path
    query: Embed
    passage: Embed
    given: dict[str, Any]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return learn_tokenizer(TEXTS * 3, 120)


def dpr(place: Path, tokenizer: Any, kind: str = "bert", projected: int = 0) -> Released:
    embeds = two_towers(place / "dpr.cp", tokenizer, kind, projected)
    return Released(place / "dpr.cp", *embeds, {"config": str(start(place / "start", tokenizer, kind))})


def one_file(place: Path, tokenizer: Any, kind: str, prefix: str, **others: nn.Module) -> Released:
    model = body(tokenizer, kind)
    weights = named({prefix: model, **{f"{name}.": one for name, one in others.items()}})
    torch.save({"state_dict": {f"module.{name}": one for name, one in weights.items()}}, place / "one.pt")
    config = str(start(place / "start", tokenizer, kind))
    return Released(place / "one.pt", first(model), first(model), {"config": config, "pooling": "cls"})


def of_roberta_dot(place: Path, tokenizer: Any) -> Released:
    """MS MARCO documents of SimANS: one file."""
    weights, embed = roberta_dot(tokenizer)
    torch.save({"model_dict": weights, "optimizer_dict": {}, "offset": 30000}, place / "checkpoint-30000")
    config = str(start(place / "start", tokenizer, "roberta"))
    return Released(place / "checkpoint-30000", embed, embed, {"config": config})


def ance(place: Path, tokenizer: Any) -> Released:
    """A folder whose class has a classifier that nothing reads, and vectors of another width."""
    weights, embed = roberta_dot(tokenizer, outputs=12)
    more = named(
        {"classifier.dense.": layer(nn.Linear, 16, 16), "classifier.out_proj.": layer(nn.Linear, 16, 2)}
    )
    ids = {"roberta.embeddings.position_ids": torch.arange(65)[None]}
    classes = {"architectures": ["RobertaForSequenceClassification"]}
    folder = folder_of(place / "ance", tokenizer, "roberta", weights | more | ids, **classes)
    return Released(folder, embed, embed, {})


def adore(place: Path, tokenizer: Any) -> Released:
    """A tower for queries over the passages of STAR, a folder each."""
    made = []
    for seed, name in enumerate(("adore", "star")):
        weights, embed = roberta_dot(tokenizer, seed=seed)
        made.append((folder_of(place / name, tokenizer, "roberta", weights), embed))
    (query, of_query), (passage, of_passage) = made
    return Released(query, of_query, of_passage, {"passages": passage})


def hugging_face_dpr(place: Path, tokenizer: Any, projected: int = 0) -> Released:
    sides = ("query", "passage")
    query, passage = (layouts.hugging_face_dpr(place / side, tokenizer, side, projected) for side in sides)
    return Released(place / "query", query, passage, {"passages": str(place / "passage")})


def tevatron(place: Path, tokenizer: Any, *, tied: bool) -> Released:
    return Released(place / "tevatron", *layouts.tevatron(place / "tevatron", tokenizer, tied=tied), {})


def pair_of_folders(place: Path, tokenizer: Any) -> Released:
    """Two folders of `transformers`, as ports of RocketQA are."""
    models = [body(tokenizer, "bert", seed=seed) for seed in (0, 1)]
    for model, name in zip(models, ("query", "para"), strict=True):
        model.save_pretrained(place / name)
        tokenizer.save_pretrained(place / name)
    given = {"passages": str(place / "para"), "pooling": "cls"}
    return Released(place / "query", first(models[0]), first(models[1]), given)


def pair_of_ernies(place: Path, tokenizer: Any) -> Released:
    """Two folders of the model that `transformers` calls ERNIE."""
    settings = layouts.settings(tokenizer, "ernie") | {"use_task_id": True}
    settings.pop("model_type")
    models = []
    for seed, name in enumerate(("query", "para")):
        torch.manual_seed(seed)
        models.append(transformers.ErnieModel(transformers.ErnieConfig(**settings)).eval())
        models[-1].save_pretrained(place / name)
        tokenizer.save_pretrained(place / name)
    given = {"passages": str(place / "para"), "pooling": "cls"}
    return Released(place / "query", first(models[0]), first(models[1]), given)


def of_sentence_transformers(place: Path, tokenizer: Any) -> Released:
    """A folder of SentenceTransformer for queries, one for passages."""
    towers = [Tower(body(tokenizer, "bert", seed=seed), pooling="cls") for seed in (0, 1)]
    for tower, name in zip(towers, ("query", "passage"), strict=True):
        tower.save(place / name, tokenizer, 40)
        (place / name / "harness_tower.json").unlink()
    return Released(place / "query", *towers, {"passages": place / "passage"})


LAYOUTS: dict[str, Callable[[Path, Any], Released]] = {
    "AR2, SimANS: ERNIE": lambda p, t: dpr(p, t, "ernie"),
    "DPR, ANCE: BERT": dpr,
    "DPR with a projection": lambda p, t: dpr(p, t, projected=12),
    "DPR of transformers": hugging_face_dpr,
    "DPR of transformers with a projection": lambda p, t: hugging_face_dpr(p, t, 12),
    "SimANS, MS MARCO documents": of_roberta_dot,
    "ANCE": ance,
    "ADORE over STAR": adore,
    "Tevatron, untied": lambda p, t: tevatron(p, t, tied=False),
    "Tevatron, tied": lambda p, t: tevatron(p, t, tied=True),
    "BERT with its language model": lambda p, t: one_file(p, t, "bert", "bert.", cls=layer(nn.Linear, 4, 4)),
    "ERNIE": lambda p, t: one_file(p, t, "ernie", "ernie."),
    "RoBERTa": lambda p, t: one_file(p, t, "roberta", "roberta.", lm_head=layer(nn.Linear, 4, 4)),
    "no prefix": lambda p, t: one_file(p, t, "bert", ""),
    "two folders": pair_of_folders,
    "two folders of ERNIE": pair_of_ernies,
    "two folders of SentenceTransformer": of_sentence_transformers,
}
SHARED = {"SimANS, MS MARCO documents", "ANCE", "Tevatron, tied", "ERNIE", "RoBERTa", "no prefix"}
SHARED |= {"BERT with its language model"}


def converted(made: Released, folder: Path, tokenizer_at: Path | None = None, **others: Any) -> Path:
    given = {**made.given, **others}
    if made.file.is_file() and "tokenizer" not in given:
        given["tokenizer"] = given.get("config")
    convert(made.file, folder, **given)
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_embeds_as_its_own_model_and_comes_back_identical(
    layout: str, tokenizer: Any, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    made = LAYOUTS[layout](tmp_path, tokenizer)
    folder = converted(made, tmp_path / "folder")
    loaded = read_encoder(str(folder))
    encoder = loaded.encoder
    assert encoder.shared == (layout in SHARED)
    encoded = tokenizer(TEXTS, padding=True, return_tensors="pt")
    ids, mask = encoded["input_ids"], encoded["attention_mask"]
    with torch.inference_mode():
        for tower, expected in ((encoder.query, made.query), (encoder.passage, made.passage)):
            torch.testing.assert_close(tower(ids, mask), expected(ids, mask), rtol=0, atol=1e-6)
        vectors = encoder.query(ids, mask).numpy(), encoder.passage(ids, mask).numpy()
    assert max(np.ptp(one, axis=0).max() for one in vectors) > 1e-2
    encoder.save(tmp_path / "again", transformers.AutoTokenizer.from_pretrained(loaded.tokenizer), 64)
    again = DualEncoder.load(tmp_path / "again")
    assert again.fingerprint() == encoder.fingerprint()
    for side, vector in zip(("query", "passage"), vectors, strict=True):
        opened = SentenceTransformer(
            str(tmp_path / "again" if encoder.shared else tmp_path / "again" / side), device="cpu"
        )
        np.testing.assert_allclose(opened.encode(TEXTS), vector, rtol=0, atol=1e-6)


def test_a_ranker_of_roberta_scores_as_its_own_model(tokenizer: Any, tmp_path: Path) -> None:
    model, linear = body(tokenizer, "roberta"), layer(nn.Linear, 16, 1)
    binary = layer(nn.Linear, 16, 2)
    weights = named({"encoder.": model, "qa_classifier.": linear, "binary.": binary})
    torch.save({"model_dict": weights}, tmp_path / "ranker")
    own = str(start(tmp_path / "start", tokenizer, "roberta"))
    done = convert(tmp_path / "ranker", tmp_path / "folder", config=own)
    assert (
        done.kind == "ranker" and "binary.bias" in done.unread and "encoder.pooler.dense.bias" in done.unread
    )
    encoded = tokenizer(TEXTS, padding=True, return_tensors="pt")
    ids, mask = encoded["input_ids"], encoded["attention_mask"]
    with torch.inference_mode():
        scores = CrossEncoder.load(tmp_path / "folder")(ids, mask, torch.zeros_like(ids))
        torch.testing.assert_close(scores, first(model, linear)(ids, mask)[:, 0], rtol=0, atol=1e-6)


def edited(file: Path, change: Callable[[dict[str, Tensor]], Any]) -> None:
    content = torch.load(file, weights_only=True)
    change(content.get("model_dict", content))
    torch.save(content, file)


class Runs:
    """Runs code when a pickle of it is loaded."""

    def __reduce__(self) -> Any:
        return (Path.touch, (Path("ran"),))


def foreign(weights: dict[str, Tensor]) -> None:
    content = {name.replace("_model.", "_net."): one for name, one in weights.items()}
    weights.clear()
    weights.update(content)


def without(prefix: str) -> Callable[[dict[str, Tensor]], None]:
    def remove(weights: dict[str, Tensor]) -> None:
        for name in [name for name in weights if name.startswith(prefix)]:
            del weights[name]

    return remove


HEAD = "embeddingHead.weight"
WORDS = "question_model.embeddings.word_embeddings.weight"
DAMAGES: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "cut": ("dpr", lambda f: f.write_bytes(f.read_bytes()[:-500]), "no checkpoint could be read"),
    "empty": ("dpr", lambda f: f.write_bytes(b""), "no checkpoint could be read"),
    "git-lfs": ("dpr", lambda f: f.write_text("version https://git-lfs"), "run `git lfs pull`"),
    "code": ("dpr", lambda f: torch.save({"model_dict": {WORDS: Runs()}}, f), "a pickle that would run code"),
    "code in a folder": (
        "ance", lambda f: torch.save({HEAD: Runs()}, f / "pytorch_model.bin"), "a pickle that would run code",
    ),
    "no tower for passages": (
        "dpr", lambda f: edited(f, without("ctx_model.")), r"no tower for passages \(weights ctx_model.\*\)",
    ),
    "no tower for queries": ("dpr", lambda f: edited(f, without("question_model.")), "no tower for queries"),
    "a layer missing": (
        "dpr", lambda f: edited(f, without("ctx_model.encoder.layer.1.")),
        r"no weights of ctx_model.encoder.layer.1.\S+, \S+, \S+ and 13 others; give --config",
    ),
    "another size": (
        "dpr", lambda f: edited(f, lambda w: w.update({WORDS: torch.ones(7, 16)})),
        r"its question_model.embeddings.word_embeddings.weight is 7 x 16, and \d+ x 16 by config.json",
    ),
    "missing, unexpected and of another size": (
        "dpr",
        lambda f: edited(
            f, lambda w: (w.pop(WORDS), w.update({"ctx_model.new": torch.ones(1)}),
                          w.update({"ctx_model.embeddings.LayerNorm.bias": torch.ones(3)})),
        ),
        "it has no weights of question_model.embeddings.word_embeddings.weight, "
        "there is no place for the weights of ctx_model.new, "
        "its ctx_model.embeddings.LayerNorm.bias is 3, and 16 by config.json;",
    ),
    "a foreign layout": (
        "dpr", lambda f: edited(f, foreign),
        r"of no layout that is read here: ctx_net.\S+, \S+, \S+ and \d+ others; .*docs/checkpoints.md",
    ),
    "whole numbers": (
        "dpr", lambda f: edited(f, lambda w: w.update({WORDS: w[WORDS].to(torch.int8)})), "are whole numbers",
    ),
    "no numbers": ("dpr", lambda f: edited(f, lambda w: w[WORDS].fill_(torch.inf)), "not all finite numbers"),
    "no map": (
        "ance", lambda f: edited(f / "pytorch_model.bin", lambda w: w.pop(HEAD)), f"no weights of {HEAD}",
    ),
    "no LayerNorm": (
        "ance", lambda f: edited(f / "pytorch_model.bin", without("norm.")),
        "no weights of norm.bias, norm.weight;",
    ),
    "a map of other vectors": (
        "ance", lambda f: edited(f / "pytorch_model.bin", lambda w: w.update({HEAD: torch.ones(12, 8)})),
        "its embeddingHead.weight is 12 x 8, and 12 x 16",
    ),
    "a map that is a number": (
        "ance", lambda f: edited(f / "pytorch_model.bin", lambda w: w.update({HEAD: torch.tensor(1.0)})),
        r"its embeddingHead.bias is 12, and 16 by config.json \(and 3 more of other sizes\)",
    ),
    "sizes of another model": (
        "ance", lambda f: (f / "config.json").write_text("{}"), "a model of type bert, and no RoBERTa",
    ),
    "no weights": ("ance", lambda f: (f / "pytorch_model.bin").unlink(), "it has no weights"),
    "an index of nothing": (
        "ance",
        lambda f: (
            (f / "pytorch_model.bin").unlink(), (f / "pytorch_model.bin.index.json").write_text("{}")
        ),
        "it names no files of weights",
    ),
    "one of several files missing": (
        "ance",
        lambda f: (
            (f / "pytorch_model.bin").unlink(),
            (f / "pytorch_model.bin.index.json").write_text('{"weight_map": {"a": "pytorch_model-1.bin"}}'),
        ),
        "pytorch_model-1.bin: no such file",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_one_clear_line_and_no_folder(
    damage: str, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    what, change, expected = DAMAGES[damage]
    made = {"dpr": dpr, "ance": ance}[what](tmp_path, tokenizer)
    change(made.file)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match=expected) as raised:
        converted(made, tmp_path / "folder")
    assert "\n" not in str(raised.value) and str(tmp_path) in str(raised.value)
    assert sorted(tmp_path.iterdir()) == before


def test_towers_that_are_no_pair_are_refused(tokenizer: Any, tmp_path: Path) -> None:
    def refused(file: Path, **given: Any) -> str:
        with pytest.raises(UserError) as raised:
            convert(file, tmp_path / "folder", **given)
        assert not (tmp_path / "folder").exists()
        (line,) = str(raised.value).splitlines()
        return line

    apart = hugging_face_dpr(tmp_path, tokenizer)
    query, passage = tmp_path / "query", tmp_path / "passage"
    assert "a tower for queries and none for passages; give both: FILE is" in refused(query)
    assert "a tower for passages and none for queries; give both" in refused(passage)
    assert "a tower for passages, given for queries; exchange" in refused(passage, passages=query)
    both = dpr(tmp_path, tokenizer)
    config = both.given["config"]
    assert "without --passages" in refused(both.file, passages=passage, config=config)
    assert "without --passages" in refused(apart.file, passages=both.file, config=config)
    ranker = named({"encoder.": body(tokenizer, "bert"), "qa_classifier.": layer(nn.Linear, 16, 1)})
    torch.save(ranker, tmp_path / "ranker")
    expected = "a ranker of AR2 and SimANS, and no retriever"
    assert expected in refused(query, passages=tmp_path / "ranker", config=config)
    assert expected in refused(tmp_path / "ranker", passages=passage, config=config)
    shutil.copytree(query, tmp_path / "wider")
    hugging_face_wider = layouts.hugging_face_dpr(tmp_path / "wider", tokenizer, "passage", 12)
    assert hugging_face_wider is not None
    assert "queries have 16 dimensions, and passages 12" in refused(query, passages=tmp_path / "wider")
    learn_tokenizer(["other words of other letters xyz"] * 3, 90).save_pretrained(passage)
    assert "reads other pieces than that of the tower for queries" in refused(query, passages=passage)
    prompted = of_sentence_transformers(tmp_path / "prompted", tokenizer)
    said = {"similarity_fn_name": "dot", "prompts": {"document": "a text: "}}
    (tmp_path / "prompted/passage/config_sentence_transformers.json").write_text(json.dumps(said))
    assert "other prompts before texts than" in refused(prompted.file, **prompted.given)
    folders = pair_of_folders(tmp_path / "plain", tokenizer)
    assert "add --pooling cls" in refused(folders.file, passages=folders.given["passages"])
    lone = folder_of(tmp_path / "lone", tokenizer, "bert", named({"ctx_model.": body(tokenizer, "bert")}))
    assert "no tower for queries (weights question_model.*)" in refused(lone)
    assert "a file has no sizes of its own; give --config" in refused(both.file)
    one = one_file(tmp_path, tokenizer, "bert", "bert.")
    assert "add --pooling cls" in refused(one.file, config=config)
    assert "unknown pooling 'max'" in refused(one.file, config=config, pooling="max")


def test_a_start_that_is_another_thing_leads_to_what_is_read(tokenizer: Any, tmp_path: Path) -> None:
    def refused(start: Path) -> str:
        with pytest.raises(UserError) as raised:
            read_encoder(str(start), "cls")
        (line,) = str(raised.value).splitlines()
        return line

    assert "weights that `transformers` does not read: embeddingHead.bias; `harness convert" in refused(
        ance(tmp_path, tokenizer).file
    )
    tied = tevatron(tmp_path, tokenizer, tied=True).file
    assert "made by maps of Tevatron (pooler.pt)" in refused(tied)
    (tied / "pooler.pt").unlink()
    (tied / "pooler_config.json").write_text("{}")
    assert "made by maps of Tevatron" in refused(tied)
    with pytest.raises(UserError, match=r"it has a pooler_config\.json and no pooler\.pt"):
        convert(tied, tmp_path / "folder", pooling="cls")
    hugging_face_dpr(tmp_path, tokenizer)
    assert "`harness convert QUERIES FOLDER --passages PASSAGES` makes" in refused(tmp_path / "query")
    file = dpr(tmp_path, tokenizer).file
    assert "it is a file: `harness convert FILE FOLDER --config START`" in refused(file)
    ranker = named({"encoder.": body(tokenizer, "bert"), "qa_classifier.": layer(nn.Linear, 16, 1)})
    torch.save(ranker, tmp_path / "ranker")
    convert(
        tmp_path / "ranker",
        tmp_path / "made",
        config=str(tmp_path / "start"),
        tokenizer=str(tmp_path / "start"),
    )
    assert "a ranker, whose one score classifier.bias makes, and no retriever" in refused(tmp_path / "made")


def test_the_command_makes_a_pair_and_names_what_it_left_out(tokenizer: Any, tmp_path: Path) -> None:
    made = adore(tmp_path, tokenizer)
    call = ["convert", str(made.file), str(tmp_path / "pair"), "--passages", str(made.given["passages"])]
    said = CliRunner().invoke(app, call)
    assert said.exit_code == 0, said.output
    words = " ".join(said.output.split())
    assert "holds the retriever (RobertaDot of ANCE, STAR, ADORE" in words and "two towers)" in words
    assert (
        "left out, as nothing depends on it: roberta.pooler.dense.bias, roberta.pooler.dense.weight" in words
    )
    assert json.loads((tmp_path / "pair/query/harness_tower.json").read_text())["dense"]
