"""Addresses of sides, and what is refused; a store without training."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.collections.collection import Collection
from harness.compare.compare import CompareRequest, compare
from harness.compare.measure import the_collection
from harness.compare.sides import find_side
from harness.errors import UserError
from harness.progress import Progress
from harness.runs.stages import Stages
from harness.specs.library import Library
from tests.stores import EXPERIMENTS, TABLE, put, settings_of, store_at

LIBRARY = Library(EXPERIMENTS)


@pytest.fixture
def store(tmp_path):
    return store_at(tmp_path / "store")


@pytest.fixture
def stages(store):
    return Stages(store, Progress(quiet=True))


@pytest.fixture
def run(store):
    return put(store, settings_of("TriSampler"))


def request(a, b, **more):
    return CompareRequest(str(a), str(b), scale="simulation", **more)


def refused(stages, call):
    with pytest.raises(UserError) as caught:
        compare(LIBRARY, stages, call)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_run_goes_by_fingerprint_prefix_or_folder(stages, run):
    sides = [
        find_side(LIBRARY, stages, str(name), scale="scratch", seeds=None)
        for name in (run.name, run.name[:6], run)
    ]
    assert {side.address for side in sides} == {run.name}
    assert sides[0].name == f"run {run.name[:8]}" and "trisampler, seed 200" in sides[0].about


@pytest.mark.parametrize(("row", "words"), [("BM25", "(BM25)"), ("Base", "(base, seed 100)")])
def test_runs_that_others_stand_on(stages, store, row, words):
    folder = put(store, settings_of(row))
    assert words in find_side(LIBRARY, stages, folder.name, scale="scratch", seeds=None).about


def test_rows(stages, run):
    assert "did you mean 'TriSampler'" in refused(stages, request(f"{TABLE}:Trisampler", run))
    assert f"name one of '{TABLE}:BM25'" in refused(stages, request(TABLE, run))
    assert "name one of them: 'TriSampler: " in refused(stages, request(f"{TABLE}-readings:TriSampler", run))


def test_a_row_that_the_store_does_not_hold_names_what_to_run(stages, run, tmp_path, monkeypatch):
    call = "run `harness reproduce trisampler/table-5 --scale simulation --row 'TriSampler'`"
    monkeypatch.chdir(tmp_path)
    without = refused(stages, request(f"{TABLE}:TriSampler", run))
    assert call in without and "has its figures" not in without
    monkeypatch.chdir(EXPERIMENTS.parent)
    committed = refused(stages, request(f"{TABLE}:TriSampler", run))
    assert call in committed and "table-5 has its figures, but no rankings" in committed


def test_an_unfinished_run(stages, store, run):
    other = put(store, settings_of("TriSampler", seed=1), done=False)
    assert f"run {other.name} is not finished" in refused(stages, request(run, other))


def test_a_side_and_itself(stages, run):
    assert "both sides are run" in refused(stages, request(run.name, run))


def test_a_folder_without_an_encoder(stages, run, tmp_path):
    assert "this folder holds no encoder" in refused(stages, request(run, tmp_path))


def test_encoders_that_lie_alone_need_a_named_collection(stages, tmp_path):
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
        (folder / "harness_tower.json").write_text("{}")
    assert "add --on TARGET" in refused(stages, request(*folders))
    assert "is not in the store" in refused(stages, request(*folders, on=TABLE))


def test_sides_on_two_collections(stages, store, run):
    other = put(store, settings_of("TriSampler", scale="scratch"), collection="fedcba9876543210")
    message = refused(stages, request(run, other))
    assert "is measured on pydocs" in message and "on planted (" in message


def test_a_run_of_another_state_of_its_collection(stages, run, tmp_path):
    here = SimpleNamespace(
        collections=SimpleNamespace(
            path=lambda settings: tmp_path,
            get=lambda settings: Collection("planted", True, (), (), {}),
        )
    )
    side = find_side(LIBRARY, stages, run.name, scale="simulation", seeds=None)
    with pytest.raises(UserError, match="uses planted 0123456789abcdef, the store has"):
        the_collection(here, side, side, side.settings)


def test_the_command_repeats_the_request():
    assert (
        CompareRequest(f"{TABLE}:Uniform Sampling", "abc").command
        == f"harness compare '{TABLE}:Uniform Sampling' abc"
    )
    assert request("a", "b", show=3).command == "harness compare a b --scale simulation --show 3"
