"""An encoder whose heads a run trained, saved and taken as a start: its vectors, and on from its heads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

import harness
from harness.api.run import OpenedRun
from harness.collections.archive import load_collection, save_collection
from harness.collections.tokens import learn_tokenizer
from harness.progress import Progress
from harness.runs.stages import Stages
from harness.specs.instead import Instead
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.storage.store import Store
from tests.encoders.test_folders import plain, sentence
from tests.place import TARGET, Place, edit

SCALE = "experiments/scales/simulation.yaml"
ROW = "Uniform Sampling"

pytestmark = pytest.mark.usefixtures("undrawn")


def started(place: Place, start: str, steps: int = 30, **more: Any) -> None:
    """Let the rows train heads over a checkpoint, of which the base run is the zero-shot row."""

    def change(spec: dict[str, Any]) -> None:
        spec["encoder"] = {"start": start, **more}
        spec["tokens"] = {"query_tokens": 16, "passage_tokens": 48}
        spec["substitutes"]["base/retriever"]["steps"] = 0
        spec["substitutes"]["both-towers"] |= {"trains": "head", "steps": steps}

    edit(place.root / SCALE, change)


def made(place: Place, patch: pytest.MonkeyPatch, *rows: str) -> None:
    named = [word for row in rows for word in ("--row", row)]
    assert place.call(patch, "reproduce", TARGET, "--scale", "simulation", "--seeds", "1", *named) == 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place where a run trained heads over a small checkpoint; its encoder lies in `headed`."""
    place = Place(tmp_path_factory.mktemp("place"))
    texts = [path.read_text() for path in (place.root / "experiments/scales").glob("*.yaml")]
    tokenizer = learn_tokenizer(texts, 400)
    sentence(plain(place.root / "small", tokenizer, max_position_embeddings=64))
    started(place, "small", towers="separate", score_scale=3.0)
    with pytest.MonkeyPatch.context() as patch:
        made(place, patch, ROW)
        patch.chdir(place.root)
        loaded(place, ROW).save_encoder(place.root / "headed")
        retriever = loaded(place, ROW).retriever
        np.save(place.root / "documents.npy", retriever.documents)
        np.save(place.root / "queries.npy", retriever.queries("test"))
        save_collection(retriever.collection, place.root / "collection.zip", "c")
    scores(place, ROW).to_parquet(place.root / "scores.parquet")
    return place


@pytest.fixture(autouse=True)
def inside(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.root)


def loaded(place: Place, row: str) -> OpenedRun:
    return harness.load(TARGET, row=row, scale="simulation", store=place.root / "store")


def scores(place: Place, row: str, target: str = TARGET) -> pd.DataFrame:
    return of_row(place.root / f"results/local/simulation/{target}/per_query.parquet", row)


def of_row(path: Path, row: str) -> pd.DataFrame:
    found = pd.read_parquet(path)
    return found[found["row"] == row].set_index(["split", "measure", "query"])[["value"]].sort_index()


def test_as_a_start_it_has_the_vectors_and_figures_of_its_run(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(place, "headed", steps=0)
    made(place, monkeypatch, "Base", ROW)
    for row in ("Base", ROW):
        documents = loaded(place, row).retriever.documents
        np.testing.assert_allclose(documents, np.load("documents.npy"), atol=1e-5)
        pd.testing.assert_frame_equal(scores(place, row), pd.read_parquet("scores.parquet"), atol=1e-9)


def test_as_a_checkpoint_of_a_row_it_has_the_figures_of_its_run(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "trisampler/headed"
    row = "{name: Headed, kind: evaluated, checkpoint: headed}"
    text = f"extends: {TARGET}\nscales: [simulation]\nrows:\n  - {{name: BM25}}\n  - {row}\n"
    (place.root / f"experiments/papers/{name}.yaml").write_text(text)
    assert place.call(monkeypatch, "reproduce", name, "--scale", "simulation", "--seeds", "1") == 0
    run = harness.load(name, row="Headed", scale="simulation", store=place.root / "store")
    np.testing.assert_allclose(run.retriever.documents, np.load("documents.npy"), atol=1e-5)
    found = scores(place, "Headed", name)
    pd.testing.assert_frame_equal(found, pd.read_parquet("scores.parquet"), atol=1e-9)


def test_by_its_fingerprint_it_is_measured_with_its_heads(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole encoder is written to the store, once."""
    started(place, "small", towers="separate", score_scale=3.0)
    fingerprint = loaded(place, ROW).run.fingerprint
    for _ in range(2):
        capsys.readouterr()
        call = ("evaluate", fingerprint, "--on", TARGET, "--scale", "simulation", "--json")
        assert place.call(monkeypatch, *call) == 0
        result = json.loads(capsys.readouterr().out)
        values = pd.read_parquet("scores.parquet").loc["test"].groupby("measure")["value"].mean()
        cells = result["rows"][-1]["cells"]
        measured = {
            column["measure"]: cell["reproduced"]["mean"]
            for column, cell in zip(result["columns"], cells, strict=True)
        }
        assert measured == pytest.approx({name: values[name] for name in measured}, abs=1e-9)
    assert [folder.name for folder in (place.root / "store/encoders").iterdir()] == [fingerprint]


def test_a_phase_that_trains_heads_goes_on_from_its_heads(place: Place) -> None:
    started(place, "headed")
    resolved = resolve(Library(place.root / "experiments"), TARGET, "simulation")
    stages = Stages(Store(place.root / "store"), Progress(quiet=True))
    settings = resolved.run(resolved.loaded.row(ROW), 0)
    part = stages.products.at_start(settings).encoder
    for side in ("query", "passage"):
        saved = load_file(place.root / "headed" / side / "3_Head/model.safetensors")["linear.weight"]
        torch.testing.assert_close(part.weights()[f"{side}.head.weight"], saved, rtol=0, atol=0)
        assert not torch.equal(saved, torch.eye(len(saved)))


def test_an_encoder_that_a_command_names_has_its_own_factor_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(place, "small", steps=0, towers="separate", score_scale=3.0)
    for start, factor in (("headed", 1.0), ("small", 3.0)):
        library = Library(place.root / "experiments", Instead.parse([], start))
        resolved = resolve(library, TARGET, "simulation")
        assert resolved.run(resolved.loaded.row(ROW), 0).encoder.score_scale == factor
    call = ("reproduce", TARGET, "--scale", "simulation", "--seeds", "1", "--encoder", "headed", "--row", ROW)
    assert place.call(monkeypatch, *call) == 0
    (table,) = (place.root / "results/local/own").glob(f"headed-*/simulation/{TARGET}/per_query.parquet")
    pd.testing.assert_frame_equal(of_row(table, ROW), pd.read_parquet("scores.parquet"), atol=1e-9)


def test_elsewhere_its_towers_have_the_vectors_of_the_run(place: Place) -> None:
    from sentence_transformers import SentenceTransformer

    collection, documents = load_collection(place.root / "collection.zip", "c"), np.load("documents.npy")
    model = SentenceTransformer(str(place.root / "headed/passage"), device="cpu")
    np.testing.assert_allclose(model.encode(list(collection.documents[:5])), documents[:5], atol=1e-5)
    retriever = harness.load_encoder(place.root / "headed", collection, query_tokens=16)
    np.testing.assert_allclose(retriever.documents, documents, atol=1e-5)
    np.testing.assert_allclose(retriever.queries("test"), np.load("queries.npy"), atol=1e-5)
