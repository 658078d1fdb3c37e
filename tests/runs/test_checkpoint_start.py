"""A scale whose encoder starts from a checkpoint: trained as it is, planned by its sizes, or one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.collections import checkpoint_place
from harness.collections.checkpoint_place import Listing
from harness.collections.tokenizer import load_tokenizer
from harness.collections.tokens import learn_tokenizer
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.pretrained import read_encoder
from tests.encoders.test_folders import plain, sentence
from tests.place import TARGET, Place, edit

SCALE = "experiments/scales/simulation.yaml"
CALL = (TARGET, "--scale", "simulation", "--seeds", "1")

Call = Callable[..., tuple[int, str, str]]


def started(place: Place, start: str, **more: Any) -> None:
    def change(spec: dict[str, Any]) -> None:
        spec["encoder"] = {"start": start, **more}
        spec["tokens"].pop("vocabulary", None)
        spec["substitutes"]["base/retriever"]["steps"] = 2

    edit(place.root / SCALE, change)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place with a small checkpoint in a folder for data."""
    place = Place(tmp_path_factory.mktemp("place"))
    tokenizer = learn_tokenizer(["a few words of many letters"] * 3, 120)
    sentence(plain(place.root / "data/small", tokenizer, max_position_embeddings=64))
    return place


@pytest.fixture
def call(place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.setenv("HARNESS_DATA", "data")
    monkeypatch.setattr("harness.collections.checkpoint_place.on_hub", lambda start: "and no hub")

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = place.call(monkeypatch, *arguments)
        said = capfd.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    return run


def test_a_checkpoint_of_the_data_folder_is_trained_as_it_is(place: Place, call: Call) -> None:
    started(place, "small")
    code, out, err = call("reproduce", *CALL, "--row", "Base")
    assert code == 0, err
    for noise in ("LOAD REPORT", "Loading weights", "transformers"):
        assert noise not in out + err
    (folder,) = place.runs("base")
    settings = json.loads((folder / "spec.json").read_text())
    assert settings["encoder"]["start"] == "small" and "hidden" not in settings["encoder"]
    trained = json.loads((folder / "checkpoints/final/harness_tower.json").read_text())
    assert trained["pooling"] == "mean" and trained["normalised"]
    _, out, _ = call("plan", *CALL, "--row", "Base", "--json")
    assert json.loads(out)[0]["state"] == "done"
    started(place, str(folder / "checkpoints/final"))
    code, out, err = call("plan", *CALL, "--row", "Base")
    assert code == 0 and "retriever: weights" in out, err


@pytest.mark.slow
def test_two_towers_that_the_harness_saved_are_trained_as_two(place: Place, call: Call) -> None:
    query, passage = (read_encoder(str(place.root / "data/small")).encoder.query for _ in range(2))
    tokenizer = load_tokenizer(str(place.root / "data/small"))
    DualEncoder(query, passage).save(place.root / "data/two", tokenizer, 64)
    started(place, "two")
    code, _, err = call("reproduce", *CALL, "--row", "Base")
    assert code == 0, err
    assert any((folder / "checkpoints/final/query").is_dir() for folder in place.runs("base"))


@pytest.mark.parametrize("start", ["no-such-folder", "somebody/nothing", "./small-er"])
def test_a_start_that_is_not_there_is_one_line(place: Place, call: Call, start: str) -> None:
    started(place, start)
    for verb in ("plan", "reproduce"):
        code, _, err = call(verb, *CALL)
        (line,) = [line for line in err.splitlines() if "error" in line]
        assert code == 2
        assert f"row 'Base': no checkpoint at '{start}' (no such folder, and no hub); give a folder" in line
    assert call("show", TARGET)[0] == 0


def test_what_the_hub_alone_has_is_planned_without_its_sizes(
    place: Place, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(place, "somebody/other")
    monkeypatch.setattr(checkpoint_place, "on_hub", lambda start: Listing("0123", ("config.json",)))
    code, out, _ = call("plan", *CALL)
    said = " ".join(out.split())
    assert code == 0 and "Memory: not known; the sizes of 'somebody/other' are not known before it is" in said
    sizes = {"hidden": 16, "layers": 2, "heads": 2, "intermediate": 24, "dropout": 0.1, "vocabulary": 99}
    started(place, "somebody/other", published_sizes=sizes)
    assert "retriever: weights" in call("plan", *CALL)[1]


def test_published_sizes_that_a_checkpoint_contradicts_are_refused(place: Place, call: Call) -> None:
    sizes = {"hidden": 16, "layers": 3, "heads": 2, "intermediate": 24, "dropout": 0.1, "vocabulary": 99}
    started(place, "small", published_sizes=sizes)
    for verb in ("plan", "reproduce"):
        code, _, err = call(verb, *CALL)
        assert code == 2
        assert "scale simulation: the checkpoint 'small' has layers 2, and 3 is published; correct" in err
