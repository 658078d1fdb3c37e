"""`ir_datasets` as it is, but for its downloads: these come from an archive that the test writes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.collections.beir import load_beir
from harness.collections.built_in import build_own
from harness.collections.layouts.ir import IrLayout
from harness.errors import UserError
from tests import published

DATA = os.environ.get("HARNESS_DATA")


class Provider:
    """Serves downloads by what their addresses end in."""

    def __init__(self) -> None:
        self.served: dict[str, bytes] = {}
        self.asked: list[str] = []

    @contextlib.contextmanager
    def stream(self, address: str) -> Iterator[io.BytesIO]:
        self.asked.append(address)
        name = next((name for name in self.served if address.endswith(name)), None)
        if name is None:
            raise OSError(f"no route to {address}")
        yield io.BytesIO(self.served[name])


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A library of its own, with a folder of its own; nothing reaches the network."""
    pytest.importorskip("ir_datasets")
    monkeypatch.setenv("IR_DATASETS_HOME", str(tmp_path / "ir"))
    monkeypatch.setenv("IR_DATASETS_TMP", str(tmp_path / "ir-tmp"))
    monkeypatch.setenv("IR_DATASETS_LOG_LEVEL", "ERROR")
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("ir_datasets")}
    import ir_datasets

    provider = Provider()
    download = ir_datasets.util.download
    monkeypatch.setattr(download.RequestsDownload, "stream", lambda self: provider.stream(self.url))
    monkeypatch.setattr(ir_datasets.util, "HashStream", lambda stream, *_, **__: stream)
    yield provider
    for name in [name for name in sys.modules if name.startswith("ir_datasets")]:
        del sys.modules[name]
    sys.modules.update(before)


def zipped(folder: Path) -> bytes:
    """Return a folder as BEIR's archives have it; `ir_datasets` wants the addresses that its NFCorpus has."""
    for name in ("corpus.jsonl", "queries.jsonl"):
        entries = [json.loads(line) for line in (folder / name).read_text().splitlines()]
        with_address = ({"metadata": {"url": ""}, "title": "", **entry} for entry in entries)
        (folder / name).write_text("".join(json.dumps(entry) + "\n" for entry in with_address))
    return published.packed(folder, ".zip").read_bytes()


def test_a_data_set_is_the_collection_of_its_folder(provider: Provider, tmp_path: Path) -> None:
    folder = published.beir(tmp_path / "nfcorpus")
    provider.served["nfcorpus.zip"] = zipped(folder)
    for titles in (False, True):
        collection = build_own("ir", {"id": "beir/nfcorpus", "titles": titles})
        assert collection.name == "ir/beir/nfcorpus"
        assert collection.fingerprint == load_beir(folder, titles=titles).fingerprint
    assert len(provider.asked) == 1


def test_where_no_dev_is_published_it_is_held_back_as_of_a_folder(provider: Provider, tmp_path: Path) -> None:
    folder = published.beir(tmp_path / "scifact")
    (folder / "qrels/dev.tsv").unlink()
    provider.served["scifact.zip"] = zipped(folder)
    collection = build_own("ir", {"id": "beir/scifact/test", "titles": True})
    assert collection.about["dev"] == "held back from train"
    assert collection.fingerprint == load_beir(folder, titles=True).fingerprint


def test_questions_that_each_split_numbers_anew_are_kept_apart(provider: Provider, tmp_path: Path) -> None:
    pytest.importorskip("ijson")
    import gzip

    folder = published.dpr(tmp_path / "nq")
    for split in ("train", "dev"):
        records = json.loads((folder / f"retriever/biencoder-nq-{split}.json").read_text())
        for record in records:
            for passage in record["positive_ctxs"]:
                passage["score"] = 1000
            record |= {"negative_ctxs": [], "hard_negative_ctxs": []}
        provider.served[f"nq-{split}.json.gz"] = gzip.compress(json.dumps(records).encode())
    provider.served["psgs_w100.tsv.gz"] = gzip.compress((folder / "psgs_w100.tsv").read_bytes())
    collection = build_own("ir", {"id": "dpr-w100/natural-questions"})
    train, dev = collection.queries["train"], collection.queries["dev"]
    assert train.ids[0] == "train-0" and dev.ids == ("dev-0",)
    assert train.answers["train-0"] == (published.TEXTS[0][1],)


def test_an_id_brings_the_splits_that_papers_use(provider: Provider) -> None:
    dl = "trec-dl-2019/judged"
    for name, base, splits in (
        ("msmarco-passage", "msmarco-passage", {"train": "train", "dev": "dev/small"}),
        ("msmarco-passage/dev", "msmarco-passage", {"train": "train", "dev": "dev"}),
        (f"msmarco-passage/{dl}", "msmarco-passage", {"train": "train", "dev": "dev/small", "test": dl}),
        ("msmarco-document", "msmarco-document", {"train": "train", "dev": "dev"}),
        ("dpr-w100/trivia-qa", "dpr-w100/trivia-qa", {"train": "train", "dev": "dev"}),
        ("beir/fiqa/test", "beir/fiqa", {"train": "train", "dev": "dev", "test": "test"}),
        ("beir/arguana", "beir/arguana", {"test": ""}),
    ):
        expected = {split: f"{base}/{end}".rstrip("/") for split, end in splits.items()}
        assert IrLayout(name).splits == expected
    assert provider.asked == []


def test_what_goes_wrong_is_one_line(provider: Provider, capfd: pytest.CaptureFixture[str]) -> None:
    def refused(name: str) -> str:
        with pytest.raises(UserError) as caught:
            build_own("ir", {"id": name})
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "ir_datasets has no 'beir/scifcat'; did you mean 'beir/scifact'?" in refused("beir/scifcat")
    told = refused("beir/scifact")
    assert told.startswith("ir:beir/scifact: ir_datasets could not download or read it (no route to")
    assert "see that the network is there" in told
    assert "has no queries with judgements" in refused("wikir")
    assert "WARN" not in capfd.readouterr().err


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_datasets", None)
    with pytest.raises(UserError) as refused:
        IrLayout("beir/scifact")
    assert "ir_datasets is not installed; install the extra `data`: pip install" in str(refused.value)


@pytest.mark.skipif(not DATA, reason="HARNESS_DATA names no folder")
@pytest.mark.parametrize("name", ["scifact", "nfcorpus"])
def test_real_collections_are_the_same_through_ir_datasets(
    provider: Provider, name: str, tmp_path: Path
) -> None:
    with tarfile.open(Path(str(DATA)) / f"{name}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / name
    if name == "scifact":  # BEIR publishes no dev; the folder keeps its training file under another name
        shutil.move(folder / "qrels/train_full.tsv", folder / "qrels/train.tsv")
        (folder / "qrels/dev.tsv").unlink()
    provider.served[f"{name}.zip"] = zipped(folder)
    by_provider = build_own("ir", {"id": f"beir/{name}", "titles": True})
    assert by_provider.fingerprint == load_beir(folder, titles=True).fingerprint
