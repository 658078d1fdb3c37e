"""Finished runs, opened: what they give, and what is refused in one line."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest

import harness
from harness.errors import UserError
from harness.negatives.noise import Noise
from harness.records.run_folder import RunFolder
from tests.stores import put, settings_of, store_at


def refused(call) -> str:
    with pytest.raises(UserError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_package_is_light_until_something_is_opened():
    light = (
        "import sys, harness; assert 'torch' not in sys.modules; harness.load; assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", light], check=True)
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = harness.lod


def test_a_row_gives_back_the_ranking_that_was_measured(opened):
    run = opened()
    rankings = run.rankings("test")
    assert list(rankings.columns) == ["query", "document", "rank", "score"]
    first = rankings[rankings["query"] == run.collection.queries["test"].ids[3]]
    by_encoder = run.retriever.documents @ run.retriever.queries("test")[3]
    number = [run.collection.number[document] for document in first["document"]]
    np.testing.assert_allclose(by_encoder[number], first["score"], rtol=1e-4)
    assert list(first["rank"]) == list(range(1, len(first) + 1))
    assert first["score"].is_monotonic_decreasing


def test_a_row_gives_the_candidates_that_its_training_began_with(opened):
    run, start = opened(), opened("Base")
    assert run.candidates.model == start.encoder.fingerprint() != run.encoder.fingerprint()
    rows = np.arange(5)
    noise = Noise(seed=0, round=0, visit=np.zeros(5, dtype=np.int64))
    drawn = run.sampler(run.candidates.rows(rows), noise)
    assert drawn.document.shape == (5, run.settings.sampler.negatives)
    assert np.isin(drawn.document[0], run.candidates.document[0]).all()


def test_candidates_that_the_store_lost_are_mined_again_unless_what_mined_them_is_gone(
    made, tmp_path, opened
):
    place = made.copy(tmp_path / "place")
    before, store = opened().candidates, place.root / "store"
    shutil.rmtree(store / "candidates")
    again = opened(store=store).candidates
    np.testing.assert_array_equal(before.document, again.document)
    shutil.rmtree(store / "candidates")
    for folder in place.runs("base"):
        (folder / "done.json").unlink()
    assert "is not finished" in refused(lambda: opened(store=store).candidates)


def test_frames_hold_what_the_folder_holds(opened):
    run = opened()
    folder = RunFolder(run.run.folder)
    loss = run.metrics.query("phase == 'continued' and metric == 'loss'")
    assert list(loss["step"]) == list(range(1, 31))
    assert run.metrics.query("metric == 'drawn'")["value"].sum() == folder.total("drawn")
    assert not set(run.metrics["metric"]) & {"phase", "step", "time"}
    means = run.per_query.groupby(["split", "measure"])["value"].mean()
    assert 0 < means["test", "RR(rel=2)@10"] < 1


def test_a_run_goes_by_the_beginning_of_its_fingerprint(opened, made):
    row = opened()
    run = harness.load_run(row.run.fingerprint[:8], store=made.root / "store")
    assert run.run.fingerprint == row.run.fingerprint and run.settings.sampler == row.settings.sampler
    assert "no run 'nothing'" in refused(lambda: harness.load_run("nothing", store=made.root / "store"))


@pytest.mark.parametrize(
    ("row", "part", "message"),
    [
        ("BM25", "encoder", "BM25 is BM25, which has no encoder"),
        ("BM25", "retriever", "which has no encoder"),
        ("BM25", "tokens", "which has no tokens"),
        ("BM25", "candidates", "which has no candidates"),
        ("Base", "sampler", "is trained on the passages of its batch and has no sampler"),
        ("TriSampler", "ranker", "TriSampler has no ranker; open a row that is distilled from one"),
    ],
)
def test_what_a_row_does_not_have_is_one_line(opened, row, part, message):
    run = opened(row)
    assert len(run.rankings("dev"))
    assert message in refused(lambda: getattr(run, part))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Trisampler"}, "did you mean 'TriSampler'"),
        ({"scale": "quik"}, "did you mean 'quick'"),
        ({"seed": -1}, "count seeds from 0"),
        ({"seed": 4}, "no finished run of seed 4 at scale simulation"),
        ({"scale": "scratch"}, "collection pydocs is not in the store"),
    ],
)
def test_what_is_not_there_is_one_line(opened, change, message):
    assert message in refused(lambda: opened(**change))


def test_a_row_without_runs_of_ours():
    message = refused(lambda: harness.load("trisampler/table-1", row="NQ", scale="simulation"))
    assert "has no runs of ours" in message


def test_an_unknown_split_of_rankings(opened):
    assert "did you mean 'test'" in refused(lambda: opened().rankings("tset"))


def test_a_run_that_is_not_finished(made, tmp_path, opened):
    store = made.copy(tmp_path / "place").root / "store"
    fingerprint = opened().run.fingerprint
    (store / "runs" / fingerprint / "done.json").unlink()
    assert f"run {fingerprint} is not finished" in refused(lambda: opened(store=store))
    assert "is not finished" in refused(lambda: harness.load_run(fingerprint, store=store))


def test_a_run_whose_collection_is_not_there(tmp_path):
    store = store_at(tmp_path / "store")
    folder = put(store, settings_of("TriSampler"))
    message = refused(lambda: harness.load_run(folder.name, store=store.root))
    assert "collection planted is not in the store" in message


def test_runs_of_another_state_of_collection_or_harness(made, tmp_path, opened):
    store = made.copy(tmp_path / "place").root / "store"
    folder = store / "runs" / opened().run.fingerprint
    other = folder.rename(folder.with_name("feedfeedfeedfeed"))
    message = refused(lambda: harness.load_run(other.name, store=store))
    assert f"the files are those of run {folder.name}; delete the folder {other} and run again" in message
    (other / "written.json").unlink()
    message = refused(lambda: harness.load_run(other.name, store=store))
    assert "run feedfeed is of another version of the harness" in message
    links = other / "links.json"
    first = opened().collection.fingerprint
    links.write_text(links.read_text().replace(first, "0" * 16))
    assert f"uses planted {'0' * 16}" in refused(lambda: harness.load_run(other.name, store=store))
