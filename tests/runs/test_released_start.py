"""Runs that begin with released checkpoints: as they were released, and what goes on from there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.collections.tokens import learn_tokenizer
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.ranker import CrossEncoder
from harness.encoders.released import convert
from tests.place import Place, Said, edit
from tests.released import save_ranker, save_retriever, sizes_of

NAME = "trisampler/table-5@released-start"
CALL = (NAME, "--scale", "simulation", "--seeds", "1")
FOLDER = "data/released/simans/ms-pas"


def as_published(spec: dict[str, Any]) -> None:
    """Let the small scale train by the numbers of the recipes."""
    del spec["substitutes"]
    spec["as_published"] = True


def few_steps(spec: dict[str, Any]) -> None:
    (phase,) = spec["phases"]
    phase |= {"rate": 1e-3, "batch": 8, "steps": 8, "refresh": 4}
    phase["ranker"]["rate"] = 1e-3
    phase["ranker"]["turns"]["ms-pas"] = {"name": "released-wiki", "share": 0.25}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place with small checkpoints in the released format, converted below HARNESS_DATA."""
    place = Place(tmp_path_factory.mktemp("released"))
    edit(place.root / "experiments/scales/simulation.yaml", as_published)
    edit(place.root / "experiments/recipes/continue-ar2-checkpoint.yaml", few_steps)
    tokenizer = learn_tokenizer(["a few words of many letters 0 1 2 3 4 5 6 7 8 9"] * 3, 120)
    start = place.root / "start"
    tokenizer.save_pretrained(start)
    (start / "config.json").write_text(json.dumps(sizes_of(len(tokenizer), types=2)))
    for what, save in (("retriever", save_retriever), ("ranker", save_ranker)):
        save(place.root / what, len(tokenizer), types=2)
        convert(place.root / what, place.root / FOLDER / what, config=str(start), tokenizer=str(start))
    return place


def say(place: Place, *arguments: str) -> Said:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_DATA", "data")
        patch.setattr("harness.collections.checkpoint_place.on_hub", lambda start: "and no hub")
        said = place.say(*arguments)
    said.check()
    return said


@pytest.fixture(scope="module")
def made(place: Place, undrawn: None) -> Place:
    done = say(place, "reproduce", *CALL)
    assert done.code == 0, done.err
    return place


def phase_of(folder: Path) -> str:
    spec = json.loads((folder / "spec.json").read_text())
    return f"{spec['recipe']}/{spec['phase_name']}"


def run_of(place: Place, kind: str, phase: str) -> Path:
    (folder,) = [folder for folder in place.runs(kind) if phase_of(folder) == phase]
    return folder


@pytest.mark.slow
def test_what_has_no_steps_is_as_it_was_released(made: Place) -> None:
    retriever = DualEncoder.load(made.root / FOLDER / "retriever").fingerprint()
    ranker = CrossEncoder.load(made.root / FOLDER / "ranker").fingerprint()
    for kind, phase in (("base", "retriever"), ("continued", "rounds")):
        folder = run_of(made, kind, f"ar2-checkpoint/{phase}")
        assert DualEncoder.load(folder / "checkpoints/final").fingerprint() == retriever
        assert not (folder / "metrics.jsonl").exists()
    folder = run_of(made, "ranker", "ar2-checkpoint/ranker")
    assert CrossEncoder.load(folder / "checkpoints/final").fingerprint() == ranker
    result = json.loads((run_of(made, "continued", "ar2-checkpoint/rounds") / "done.json").read_text())
    assert (result["weights"], result["ranker"]) == (retriever, ranker)


@pytest.mark.slow
def test_what_goes_on_begins_there_and_is_trained(made: Place) -> None:
    folders = [one for one in made.runs("continued") if phase_of(one) == "continue-ar2-checkpoint/continued"]
    assert len(folders) > 1
    for folder in folders:
        spec = json.loads((folder / "spec.json").read_text())
        assert spec["start"] == spec["teacher"] and spec["start"]["phase_name"] == "rounds"
        tower = DualEncoder.load(folder / "checkpoints/final")
        assert (
            not tower.shared
            and tower.fingerprint() != DualEncoder.load(made.root / FOLDER / "retriever").fingerprint()
        )
        ranker = CrossEncoder.load(folder / "checkpoints/ranker")
        assert (
            ranker.linear
            and ranker.fingerprint() != CrossEncoder.load(made.root / FOLDER / "ranker").fingerprint()
        )


@pytest.mark.slow
def test_nothing_is_mined_for_what_has_no_steps(made: Place) -> None:
    mined = {path.stem for path in (made.root / "store/candidates").glob("*")}
    assert len(mined) == 1


@pytest.mark.slow
def test_plan_and_settings_show_them(made: Place) -> None:
    said = say(made, "plan", *CALL, "--json")
    assert {run["state"] for run in json.loads(said.out)} == {"done"}
    said = say(made, "plan", *CALL)
    assert "ar2-checkpoint/rounds" in said.out and "steps 0" in said.out
    for what in ("retriever", "ranker"):
        assert f"steps 0, from released/simans/ms-pas/{what}" in said.out
    assert "missing" not in said.out
    spec = json.loads((run_of(made, "ranker", "ar2-checkpoint/ranker") / "spec.json").read_text())
    assert spec["ranker"] == {"start": "released/simans/ms-pas/ranker", "pair_tokens": 48}


@pytest.mark.slow
def test_another_content_is_another_run(made: Place, tmp_path: Path) -> None:
    other = made.copy(tmp_path / "other")
    path = other.root / FOLDER / "ranker/config.json"
    path.write_text(path.read_text() + "\n")
    states = {run["row"]: run["state"] for run in json.loads(say(other, "plan", *CALL, "--json").out)}
    assert states["BM25"] == "done" and states["TriSampler"] != "done"


def test_what_is_not_at_hand_is_told_in_one_line(place: Place, tmp_path: Path) -> None:
    other = place.copy(tmp_path / "other")
    shutil.rmtree(other.root / FOLDER / "ranker")
    for verb in ("plan", "reproduce"):
        said = say(other, verb, *CALL)
        assert said.code == 2
        (line,) = said.lines
        assert "no checkpoint at 'released/simans/ms-pas/ranker'" in line
        command = line.partition("`harness ")[2].partition("`")[0].split()
    assert command[1:3] == ["ckpt/MS-Pas/checkpoint-reranker20000", f"{FOLDER}/ranker"]
    start = str(place.root / "start")  # for what the hub has
    call = [command[0], str(place.root / "ranker"), command[2], "--config", start, "--tokenizer", start]
    assert say(other, *call).code == 0
    states = {run["state"] for run in json.loads(say(other, "plan", *CALL, "--json").out)}
    assert states and states <= {"new", "done"}
