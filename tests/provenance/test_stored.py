"""Runs are found by what a person types; origins by what is known."""

from __future__ import annotations

import json

import pytest

from harness.errors import UserError
from harness.provenance.dependencies import known_collections
from harness.provenance.stored import StoredRun, find_run, find_run_or_folder, stored_runs
from harness.runs.old_store import old_runs
from harness.specs.fingerprints import VERSION
from tests.stores import COLLECTION, put, settings_of


def test_a_run_is_found_by_fingerprint_prefix_and_folder(store):
    folder = put(store, settings_of("TriSampler"))
    assert stored_runs(store) == [StoredRun(folder)]
    assert find_run(store, folder.name) == find_run(store, folder.name[:3]) == StoredRun(folder)
    elsewhere = store.root / "copied"
    assert find_run_or_folder(store, folder.name) == StoredRun(folder)
    folder.rename(elsewhere)
    assert find_run_or_folder(store, str(elsewhere)).folder == elsewhere


def test_settings_come_back_as_they_were(store):
    for row in ("BM25", "Base", "TriSampler"):
        assert StoredRun(put(store, settings_of(row))).settings() == settings_of(row)


def test_what_is_not_one_run_is_refused(store):
    with pytest.raises(UserError, match="there is none yet"):
        find_run(store, "ab")
    for seed in range(17):  # two of 17 begin alike
        put(store, settings_of("TriSampler", seed))
    names = [run.fingerprint for run in stored_runs(store)]
    alike = next(name[0] for name in names if sum(other[0] == name[0] for other in names) > 1)
    with pytest.raises(UserError, match=f"runs begin with '{alike}'"):
        find_run(store, alike)
    with pytest.raises(UserError, match=f"did you mean '{names[3]}'"):
        find_run(store, names[3] + "0")


def test_settings_of_another_harness_are_refused(store):
    folder = put(store, settings_of("BM25"))
    (folder / "spec.json").write_text('{"kind": "bm25", "phase_name": "retriever"}')
    with pytest.raises(UserError, match=r"not settings that this harness knows \(recipe: Field required"):
        StoredRun(folder).settings()


def test_links_come_back_and_give_the_fingerprint(store):
    earlier = {**VERSION, "candidates": 1}
    run = StoredRun(put(store, settings_of("TriSampler"), earlier))
    chained = run.links()
    assert chained and [link.stage for link in chained] == ["tokens", "base", "candidates", "run"]
    assert chained[-1].fingerprint == run.fingerprint
    (run.folder / "links.json").unlink()
    assert run.links() is None
    (run.folder / "links.json").write_text("[{}]")
    with pytest.raises(UserError, match="not the links of a run"):
        run.links()


def test_a_damaged_collection_is_not_known(store, tmp_path):
    (store.root / "collections/torn.zip").write_bytes(b"torn")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/cells.json").write_text("[]")
    assert known_collections(store, tmp_path / "results") == [COLLECTION]


def test_a_run_of_the_old_form_is_named_with_what_to_do(store):
    folder = put(store, settings_of("TriSampler"))
    spec = json.loads((folder / "spec.json").read_text())
    del spec["phase_name"]
    (folder / "spec.json").write_text(json.dumps(spec | {"kind": "trained"}))
    with pytest.raises(UserError, match=r"before phases had names.*with `harness runs rm`") as caught:
        StoredRun(folder).settings()
    assert len(str(caught.value).splitlines()) == 1 and old_runs(store) == 1
