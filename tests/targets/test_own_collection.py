"""A table and a tuning on a collection of one's own, by one command each; no file of the specs is edited."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from harness.collections.tokens import learn_tokenizer
from tests.beir_folder import WORDS, write_folder
from tests.cases import few
from tests.encoders.test_folders import plain, sentence
from tests.place import CHECKOUT
from tests.result_checks import check_cells, check_tables
from tests.smallest import SmallestPlace
from tests.targets.test_every_target import KINDS
from tests.tuning.conftest import TINY

TARGET = KINDS["comparison"]
SCALE = ("--scale", "simulation")
MINE = ("--collection", "beir:mine")
OTHERS = sorted(set(KINDS) - {"comparison", "statistics"})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> SmallestPlace:
    """A table on a folder, one seed, by one command."""
    place = SmallestPlace(tmp_path_factory.mktemp("own"))
    queries = write_folder(place.root / "mine") / "queries.jsonl"
    asked = map(json.loads, queries.read_text().splitlines())  # "b of a", answered by b
    answered = [json.dumps(query | {"answers": query["text"].split()[:1]}) for query in asked]
    queries.write_text("\n".join(answered))
    study = {"row": "TriSampler", "space": {"law.a": {"low": 0.0, "high": 2.0}}}
    tiny = {**TINY, "trials": 2, "studies": [study]}
    (place.root / "experiments/tuning").mkdir()
    (place.root / "experiments/tuning/tiny.yaml").write_text(yaml.safe_dump(tiny))
    printed(place, "reproduce", TARGET)
    return place


def printed(place: SmallestPlace, verb: str, *arguments: str, given: tuple[str, ...] = MINE) -> str:
    """Return what a command on the folder printed; it was done without a word of an error."""
    said = place.say(verb, *arguments, *(() if verb == "report" else SCALE), *given)
    assert (said.code, said.lines) == (0, [])
    return said.out


def own(place: SmallestPlace, name: str = "mine") -> Path:
    """The root of the results on a folder, and with an encoder."""
    (root,) = (place.root / "results/local/own").glob(f"{name}-" + "[0-9a-f]" * 8)
    return root


def test_the_results_have_a_place_of_their_own(place: SmallestPlace) -> None:
    folder = own(place) / "simulation" / TARGET
    check_tables(folder)
    check_cells(folder)
    assert (own(place) / "index.html").exists()
    assert not (place.root / "results/local/simulation").exists()


def test_the_table_says_on_what_and_prints_nothing_of_the_paper(place: SmallestPlace) -> None:
    text = (own(place) / "simulation" / TARGET / "table.md").read_text()
    assert text.splitlines()[0].endswith(", on beir/mine")
    told = "A table of your own on beir/mine, measured on test; encoder: that of scale simulation, fresh."
    assert told in text
    assert "beir/mine, 90 documents; queries: 20 dev, 20 test, 50 train" in text
    assert "MS MARCO" not in text and "41.4" not in text
    assert not re.search(r"[Pp]ublished|[Vv]erdict:|Kendall|pipeline check|Note D15", text)


def test_the_page_names_the_command_that_makes_it_again(place: SmallestPlace) -> None:
    cells = own(place) / "simulation" / TARGET / "cells.json"
    command = "harness reproduce trisampler/table-5 --scale simulation --collection beir:mine"
    assert command in (cells.parent / "table.html").read_text()
    before = cells.read_bytes()
    again = printed(place, "reproduce", TARGET, given=("--collection", "ms-pas=beir:mine"))
    assert "Trained 0 runs" in again and cells.read_bytes() == before


def test_other_commands_take_the_same_options(place: SmallestPlace) -> None:
    assert {run["state"] for run in json.loads(printed(place, "plan", TARGET, "--json"))} == {"done"}
    facts = printed(place, "explain", TARGET, "TriSampler")
    assert "your own table" in facts and "not in this store" not in facts
    assert own(place).name in printed(place, "report", TARGET)
    assert "FAIL" not in printed(place, "verify", TARGET, "--store", "store").partition("OK: every")[0]
    assert "run(s) are in" in printed(place, "sync", TARGET)


@pytest.mark.parametrize("verb", ["reproduce", "tune", "report"])
def test_it_is_not_published(place: SmallestPlace, verb: str) -> None:
    scale = () if verb == "report" else SCALE
    said = place.say(verb, "tiny" if verb == "tune" else TARGET, *scale, *MINE, "--publish")
    assert said.code == 2
    (line,) = said.lines
    assert "are not committed; leave it out; they go to results/local/own/mine-" in line


def test_an_encoder_of_ones_own_is_trained_in_the_place_of_the_scales(place: SmallestPlace) -> None:
    start = plain(place.root / "tiny-bert", learn_tokenizer([*WORDS] * 3, 200), max_position_embeddings=64)
    sentence(start, pooling="cls")
    given = (*MINE, "--encoder", start.name)
    printed(place, "reproduce", TARGET, "--row", "Uniform Sampling", given=given)
    cells = json.loads((own(place, "mine-tiny-bert") / "simulation" / TARGET / "cells.json").read_text())
    bases = [json.loads((folder / "spec.json").read_text()) for folder in place.runs("base")]
    assert {base["encoder"]["start"] for base in bases} == {"fresh", start.name}
    assert cells["title"].endswith(", on beir/mine, encoder tiny-bert")
    assert cells["settings_commit"] is None and cells["own"]["options"].endswith(" --encoder tiny-bert")


@pytest.mark.parametrize("kind", few(OTHERS, "sweep"))
def test_every_kind_is_made_on_it_without_what_the_paper_prints(place: SmallestPlace, kind: str) -> None:
    printed(place, "reproduce", KINDS[kind])
    folder = own(place) / "simulation" / KINDS[kind]
    check_tables(folder)
    text = (folder / "table.md").read_text()
    assert "on beir/mine" in text and "This is your own table" in text
    assert not re.search(r"published \||[Vv]erdict:|pipeline check|Published figures", text)
    assert "pipeline check" not in (folder / "figure.svg").read_text()


@pytest.mark.slow
def test_a_tuning_is_made_and_confirmed_on_it(place: SmallestPlace) -> None:
    printed(place, "tune", "tiny", "--confirm")
    folder = own(place) / "simulation/tuning/tiny"
    data = json.loads((folder / "trials.json").read_text())
    assert data["collection"]["name"] == "beir/mine" and data["confirmation"]["collection"] == "beir/mine"
    command = "harness tune tiny --scale simulation --collection beir:mine"
    assert command in (folder / "table.html").read_text()
    first = (folder / "target.yaml").read_text().splitlines()[0]
    again = shlex.split(first.removeprefix("# harness "))
    assert tuple(again[-2:]) == MINE
    assert "Trained 0 runs" in place.say(*again).out
    assert (folder / "confirmation/cells.json").exists()
    assert not (place.root / "results/local/simulation").exists()


def test_the_docs_know_the_options() -> None:
    for name in ("README.md", "docs/your-own-collection.md"):
        assert "--collection beir:mine" in (CHECKOUT / name).read_text()
