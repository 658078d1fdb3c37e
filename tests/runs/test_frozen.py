"""Tables whose rows train a part of an encoder, by the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import harness
from harness.encoders.frozen import FROZEN
from harness.encoders.partial import holds_part, whole_of
from harness.progress import Progress
from harness.runs.stages import Stages
from harness.specs.fingerprints import chain
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.storage.store import Store
from tests.cases import few
from tests.place import ROWS, TARGET, Place, edit

TRAINED = ROWS[2:]


def train_part(place: Place, trains: str, **more: int) -> None:
    """Let the rows of the table train a part of an encoder of several layers."""

    def change(scale: dict) -> None:
        scale["substitutes"]["both-towers"] |= {"trains": trains, **more}
        scale["substitutes"]["base/retriever"]["trains"] = "both-towers"
        scale["encoder"]["layers"] = 2

    edit(place.root / "experiments/scales/simulation.yaml", change)


def scores(place: Place) -> pd.DataFrame:
    return pd.read_parquet(place.root / f"results/local/simulation/{TARGET}/per_query.parquet")


@pytest.fixture(scope="module", params=few(("head", "last-layer"), "head"))
def made_part(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("parts") / "place")
    train_part(place, request.param)
    with pytest.MonkeyPatch.context() as patch:
        assert place.call(patch, "reproduce", TARGET, "--scale", "simulation", "--seeds", "2") == 0
    return place


def test_states_are_computed_once_for_all_rows_over_a_base_run(made_part: Place) -> None:
    states = list((made_part.root / "store/states").iterdir())
    assert len(states) == 2, "one a base run"
    assert all((folder / "done.json").exists() for folder in states)


def test_a_run_keeps_the_part_that_it_trained(made_part: Place) -> None:
    for folder in made_part.runs("continued"):
        final = folder / "checkpoints/final"
        assert holds_part(final)
        spec = json.loads((folder / "spec.json").read_text())
        whole = made_part.root / "store/runs" / str(_base(made_part, spec)) / "checkpoints/final"
        assert _size(final) < _size(whole) / 3


def test_the_encoder_of_a_run_opens_elsewhere_with_the_same_vectors(
    made_part: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers import SentenceTransformer

    monkeypatch.chdir(made_part.root)
    run = harness.load(TARGET, row="TriSampler", scale="simulation", store=made_part.root / "store")
    run.save_encoder(tmp_path / "encoder")
    texts = run.collection.documents[:5]
    elsewhere = SentenceTransformer(str(tmp_path / "encoder"), device="cpu").encode(list(texts))
    np.testing.assert_allclose(elsewhere, run.retriever.documents[:5], atol=1e-5)
    base = harness.load(TARGET, row="Base", scale="simulation", store=made_part.root / "store")
    assert not np.allclose(elsewhere, base.retriever.documents[:5], atol=1e-3)


def test_again_nothing_is_trained(
    made_part: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = scores(made_part)
    done = made_part.call(monkeypatch, "reproduce", TARGET, "--scale", "simulation", "--seeds", "2")
    assert done == 0
    pd.testing.assert_frame_equal(scores(made_part), before)
    assert "Trained 0 runs" in capsys.readouterr().out


def test_a_plan_says_what_is_encoded_once_and_is_there(
    made_part: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert made_part.call(monkeypatch, "plan", TARGET, "--scale", "simulation", "--seeds", "3") == 0
    output = capsys.readouterr().out
    assert "Frozen encoders below a trained " in output
    assert "288 documents and 200 queries are encoded once by each (2 of 3 done)" in output
    assert "states, once" in output
    assert made_part.call(monkeypatch, "plan", TARGET, "--scale", "simulation", "--seeds", "3", "--json") == 0
    planned = json.loads(capsys.readouterr().out)
    left = [run["estimate_s"] for run in planned if run["state"] == "new"]
    assert len(left) == 3, "a base run and two that continue it"
    assert all(seconds > 0 for seconds in left), "as such runs took before"


def test_gradients_by_rank_begin_from_states_that_are_stored_once(tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    train_part(place, "head")
    stages = Stages(Store(tmp_path / "store"), Progress())
    resolved = resolve(Library(place.root / "experiments"), TARGET, "simulation")
    whole = resolved.run(resolved.loaded.row("TriSampler"), 0).start
    head = whole.model_copy(update={"phase": whole.phase.model_copy(update={"trains": "head"})})
    encoder = whole_of(stages.products.at_start(head).encoder)
    states = stages.products.entering_last_layer(head, encoder)
    assert states is not None
    assert stages.products.entering_last_layer(head, encoder) is states
    lengths = stages.collections.tokens(head).documents.lengths
    assert (states.documents.lengths == lengths).all(), "a state a token"
    assert stages.products.entering_last_layer(whole, encoder) is None, "it trains what is below that layer"


@pytest.mark.slow
def test_every_verb_knows_states(made_part: Place) -> None:
    run = max(made_part.runs("continued"))
    base = run.parent / str(_base(made_part, json.loads((run / "spec.json").read_text())))
    for call, word in (
        (("runs", "list"), run.name),
        (("runs", "show", run.name), "depends on"),
        (("explain", TARGET, "TriSampler", "--scale", "simulation", "--local"), "TriSampler"),
        (("explain", "--why-retrain", base.name, run.name), "states: this link has none | has it"),
        (("plan", TARGET, "--scale", "simulation", "--seeds", "2"), "done"),
    ):
        said = made_part.say(*call)
        said.check()
        assert said.code == 0 and word in said.out, said.err


@pytest.mark.parametrize("trains", few(FROZEN[:2]))
def test_without_a_step_a_part_has_the_figures_of_what_it_is_over(
    trains: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path / "place")
    train_part(place, trains, steps=0)
    call = ("reproduce", TARGET, "--scale", "simulation", "--seeds", "1", "--row", "Base")
    assert place.call(monkeypatch, *call, "--row", "Uniform Sampling") == 0
    by_row = {
        name: rows.set_index(["split", "measure", "query"])["value"].sort_index()
        for name, rows in scores(place).groupby("row")
    }
    np.testing.assert_allclose(by_row["Uniform Sampling"], by_row["Base"], atol=1e-12)


def test_what_is_trained_is_part_of_a_run_and_states_of_what_they_are_over(tmp_path: Path) -> None:
    place, prints = Place(tmp_path), {}
    for trains in FROZEN[:2]:
        train_part(place, trains)
        resolved = resolve(Library(place.root / "experiments"), TARGET, "simulation")
        row = resolved.loaded.row("TriSampler")
        prints[trains] = [chain(resolved.run(row, seed), "c") for seed in (0, 0, 1)]
    for chains in prints.values():
        assert chains[0] == chains[1] != chains[2]
    head, layer = (dict(chains[0].links) for chains in prints.values())
    assert head["base"] == layer["base"]
    assert head["states"] != layer["states"]
    assert head["run"] != layer["run"]


def with_several_buckets(place: Place) -> None:
    """Let the states of a table take a while: many words, of many layers."""

    def words(dataset: dict) -> None:
        dataset["collections"]["simulation"]["parameters"] |= {"topics": 40, "train_queries": 900}

    train_part(place, "head")
    edit(place.root / "experiments/scales/simulation.yaml", lambda scale: scale["encoder"].update(layers=6))
    edit(place.root / "experiments/datasets/ms-pas.yaml", words)


def is_counted(place: Place, name: str) -> bool:
    """Whether some batches of the states of texts are done, and the states are not."""
    return any(f'"{name}"' in path.read_text() for path in place.root.glob("store/states/.*/progress.json"))


def bytes_of(place: Place) -> dict[str, str]:
    """The hash of what runs and states have, by place in the store; without what tells of times."""
    store = place.root / "store"
    kinds = ("states/*/*.npy", "runs/*/per_query.parquet", "runs/*/rankings/*.gz")
    kinds += ("runs/*/checkpoints/*/*.safetensors",)
    found = sorted(path for kind in kinds for path in store.glob(kind))
    return {str(path.relative_to(store)): sha256(path.read_bytes()).hexdigest() for path in found}


MOMENTS = {
    "in the first states": lambda place: is_counted(place, "documents"),
    "in the last states": lambda place: is_counted(place, "queries-train"),
    "in training a head": lambda place: any(
        any(folder.glob("checkpoints/step-00000010")) for folder in place.runs("continued")
    ),
}


KILLED = """
import os, signal, sys
from pathlib import Path
from harness.cli.start import main
from tests.place import Place
from tests.runs.test_frozen import MOMENTS

reached, place = MOMENTS[sys.argv.pop(1)], Place.at(Path.cwd())

def watch(event, arguments):
    if event in ("os.rename", "os.remove") and reached(place):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
main()
"""
"""The command line, which kills itself before the first change of a name in its folder at a moment."""


@pytest.mark.slow
def test_killed_in_encoding_and_in_training_a_head_it_continues_with_the_same_bytes(tmp_path: Path) -> None:
    call = ("reproduce", TARGET, "--scale", "simulation", "--seeds", "1", "--row", "TriSampler")
    whole, killed = Place(tmp_path / "whole"), Place(tmp_path / "killed")
    for place in (whole, killed):
        with_several_buckets(place)
    for moment in MOMENTS:
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, moment, *call],
            cwd=killed.root,
            env=killed.environment(),
            capture_output=True,
            check=False,
        )
        assert ended.returncode == -signal.SIGKILL, f"it ended before it was {moment}"
    for place in (whole, killed):
        done = place.run(*call)
        assert done.returncode == 0, done.stderr
    assert bytes_of(killed) == bytes_of(whole)
    assert any(name.startswith("states") for name in bytes_of(whole))


def _base(place: Place, spec: dict) -> str:
    bases = {
        json.loads((folder / "spec.json").read_text())["seed"]: folder.name for folder in place.runs("base")
    }
    return bases[spec["start"]["seed"]]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))
