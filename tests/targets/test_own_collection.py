"""A table and a tuning on a collection of one's own, by one command each; no file of the specs is edited."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harness.collections.tokens import learn_tokenizer
from tests.beir_folder import WORDS, write_folder
from tests.encoders.test_folders import plain, sentence
from tests.place import CHECKOUT, TARGET, Place
from tests.tuning.conftest import TINY

CALL = ("reproduce", TARGET, "--scale", "simulation", "--seeds", "1")
MINE = ("--collection", "beir:mine")

Call = Callable[..., str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A table on a folder, one seed, by one command."""
    place = Place(tmp_path_factory.mktemp("own"))
    write_folder(place.root / "mine")
    tiny = {
        **TINY,
        "trials": 2,
        "studies": [{"row": "TriSampler", "space": {"law.a": {"low": 0.0, "high": 2.0}}}],
    }
    (place.root / "experiments/tuning/tiny.yaml").write_text(yaml.safe_dump(tiny))
    with pytest.MonkeyPatch.context() as patch:
        assert place.call(patch, *CALL, *MINE) == 0
    return place


@pytest.fixture
def call(place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert place.call(monkeypatch, *arguments) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return run


def own(place: Place) -> Path:
    """The root of the results on the folder."""
    (root,) = (place.root / "results/local/own").glob("mine-[0-9a-f]*")
    return root


def test_the_results_have_a_place_of_their_own(place: Place) -> None:
    folder = own(place) / "simulation" / TARGET
    assert (folder / "table.html").exists() and (own(place) / "simulation/index.html").exists()
    assert not place.results.exists()
    assert (place.root / "experiments/datasets/ms-pas.yaml").read_text().find("mine") < 0


def test_the_table_says_on_what_and_prints_nothing_of_the_paper(place: Place) -> None:
    text = (own(place) / "simulation" / TARGET / "table.md").read_text()
    assert "on beir/mine" in text.splitlines()[0]
    assert (
        "A table of your own on beir/mine, measured on test; encoder: that of scale simulation, fresh."
        in text
    )
    assert "beir/mine, 90 documents; queries: 10 dev, 10 test, 60 train" in text
    assert "MS MARCO" not in text and "41.4" not in text and "erdict:" not in text
    assert not re.search(r"[Pp]ublished|Kendall|pipeline check|Note D15", text.replace("published on", ""))


def test_the_page_names_the_command_that_makes_it_again(place: Place, call: Call) -> None:
    page = (own(place) / "simulation/index.html").read_text()
    assert "harness reproduce trisampler/table-5 --scale simulation --collection beir:mine --seeds 1" in page
    before = (own(place) / "simulation" / TARGET / "cells.json").read_bytes()
    assert "Trained 0 runs" in call(*CALL, "--collection", "ms-pas=beir:mine")
    assert (own(place) / "simulation" / TARGET / "cells.json").read_bytes() == before


def test_other_commands_take_the_same_options(place: Place, call: Call) -> None:
    runs = json.loads(call("plan", *CALL[1:], *MINE, "--json"))
    assert {run["state"] for run in runs} == {"done"}
    facts = " ".join(call("explain", TARGET, "TriSampler", "--scale", "simulation", *MINE).split())
    assert "your own table" in facts and "not in this store" not in facts
    assert str(own(place).name) in call("report", TARGET, *MINE)
    assert "OK" in call("verify", TARGET, "--scale", "simulation", *MINE, "--row", "BM25", "--store", "store")


@pytest.mark.slow
def test_a_tuning_is_made_and_confirmed_on_it(place: Place, call: Call) -> None:
    call("tune", "tiny", "--scale", "simulation", *MINE, "--confirm")
    folder = own(place) / "simulation/tuning/tiny"
    data = json.loads((folder / "trials.json").read_text())
    assert data["collection"]["name"] == "beir/mine" and data["confirmation"]["collection"] == "beir/mine"
    assert (
        "harness tune tiny --scale simulation --collection beir:mine" in (folder / "table.html").read_text()
    )
    first = (folder / "target.yaml").read_text().splitlines()[0]
    again = shlex.split(first.removeprefix("# harness "))
    assert again[-2:] == [*MINE]
    assert "Trained 0 runs" in call(*again)
    assert (folder / "confirmation/cells.json").exists() and not (
        place.root / "results/local/simulation"
    ).exists()


@pytest.mark.parametrize("verb", ["reproduce", "tune"])
def test_it_is_not_published(call: Call, verb: str) -> None:
    named = {"reproduce": TARGET, "tune": "tiny"}[verb]
    told = call(verb, named, "--scale", "simulation", *MINE, "--publish", code=2)
    assert "are not committed; leave it out; they go to results/local/own/mine-" in told
    assert len(told.strip().splitlines()) <= 2  # the places, and the error


def test_an_encoder_of_ones_own_is_trained_in_the_place_of_the_scales(place: Place, call: Call) -> None:
    start = plain(place.root / "tiny-bert", learn_tokenizer([*WORDS] * 3, 200), max_position_embeddings=64)
    sentence(start, pooling="cls")
    given = (*MINE, "--encoder", start.name)
    call(*CALL, *given, "--row", "Uniform Sampling")
    (folder,) = (place.root / "results/local/own").glob("mine-tiny-bert-*")
    cells = json.loads((folder / "simulation" / TARGET / "cells.json").read_text())
    (row,) = [row for row in cells["rows"] if row["name"] == "Uniform Sampling"]
    spec = json.loads((place.root / "store/runs" / row["fingerprints"][0] / "spec.json").read_text())
    assert given[-1] in json.dumps(spec) and given[-1] in cells["title"]
    assert cells["settings_commit"] is None and cells["own"]["options"].endswith(f"--encoder {given[-1]}")


def test_the_docs_know_the_options() -> None:
    for name in ("README.md", "docs/your-own-collection.md"):
        assert "--collection beir:mine" in (CHECKOUT / name).read_text()
