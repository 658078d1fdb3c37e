"""What may go is listed, what is needed stays; deleting leaves nothing half."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from harness.cli.application import app
from harness.errors import UserError
from harness.provenance.dependencies import above, chains, collections_of, consequences, target_runs
from harness.provenance.garbage import delete, find_garbage
from harness.provenance.stored import StoredRun, stored_runs
from harness.specs.fingerprints import chain
from harness.specs.library import Library
from harness.storage.files import unfinished
from harness.storage.leases import BusyError, lease
from tests.stores import COLLECTION, EXPERIMENTS, put, settings_of

LIBRARY = Library(EXPERIMENTS)
PAPER, TARGETS = "trisampler", ("paper", "table-1", "table-5", "figure-4")
"""Targets among which most tests look; the shipped ones are all that can be, and take their time."""

LONG_AGO = time.time() - 30 * 86_400


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """The shipped specs with few targets."""
    root = tmp_path_factory.mktemp("specs") / "experiments"
    shutil.copytree(EXPERIMENTS, root, ignore=shutil.ignore_patterns("papers", "tuning"))
    (root / "papers" / PAPER).mkdir(parents=True)
    for name in TARGETS:
        shutil.copy(EXPERIMENTS / f"papers/{PAPER}/{name}.yaml", root / "papers" / PAPER)
    return Library(root)


def changed(**values):
    """TriSampler's settings as no shipped target has them: a depth of candidates of its own."""
    settings = settings_of("TriSampler")
    return settings.model_copy(update={"sampler": settings.sampler.model_copy(update=values)})


def old(path):
    """Make a folder and its files look as if they were written long ago."""
    for path_inside in (path, *path.rglob("*")):
        os.utime(path_inside, (LONG_AGO, LONG_AGO))
    return path


@pytest.fixture
def garbage(few, store, tmp_path):
    def garbage(days=7, library=few):
        return {one.path for one in find_garbage(library, store, tmp_path / "results", days).garbage}

    return garbage


def test_states_that_a_run_stands_on_stay_and_others_may_go(store, garbage):
    settings = settings_of("TriSampler")
    head = settings.model_copy(update={"phase": settings.phase.model_copy(update={"trains": "head"})})
    put(store, head)
    put(store, settings)
    (needed,) = (name for stage, name in chain(head, COLLECTION).links if stage == "states")
    going_on = unfinished(store.states(needed))
    left = {store.states("f" * 16), unfinished(store.states("e" * 16))}
    for folder in (store.states(needed), going_on, *left):
        folder.mkdir(parents=True)
    assert garbage() == left


def run_without_links(store, **more):
    """A run of another collection, without the file that tells its links."""
    folder = put(store, settings_of("TriSampler"), collection="f" * 16, **more)
    (folder / "links.json").unlink()
    return folder


@pytest.mark.slow
def test_what_shipped_targets_and_runs_stand_on_stays(store, garbage):
    shipped = settings_of("TriSampler")
    put(store, shipped)
    put(store, changed(candidates=33))
    assert garbage(library=LIBRARY) == set()
    delete([run.folder for run in stored_runs(store)])
    assert garbage(library=LIBRARY) == {
        store.candidates(chain(changed(candidates=33), COLLECTION).candidates)
    }


@pytest.mark.slow
def test_unfinished_runs_go_when_old_and_what_only_they_need(store, garbage):
    settings = changed(candidates=33)
    folder = put(store, settings, done=False)
    assert garbage() == set()
    old(folder)
    candidates = store.candidates(chain(settings, COLLECTION).candidates)
    assert garbage() == {folder, candidates}
    assert garbage(days=60) == set()


def test_a_run_that_results_name_is_never_garbage(store, tmp_path, garbage):
    folder = old(put(store, settings_of("TriSampler"), done=False))
    (tmp_path / "results/scratch").mkdir(parents=True)
    provenance = tmp_path / "results/scratch/provenance.json"
    provenance.write_text(f'{{"runs": [{{"fingerprint": "{folder.name}"}}]}}')
    assert garbage() == set()
    provenance.write_text("{}")
    with pytest.raises(UserError, match="the file names no runs"):
        garbage()


def test_temporary_files_of_dead_processes(store, garbage):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    mine, left = (store.root / f".x.json.{pid}.tmp" for pid in (os.getpid(), int(dead.stdout)))
    for path in (mine, left):
        path.write_text("")
    assert garbage() == set()
    old(mine), old(left)
    assert garbage() == {left}


def test_runs_that_do_not_tell_what_they_stand_on_are_named(store, tmp_path, few):
    folder = run_without_links(store)
    report = find_garbage(few, store, tmp_path, 7)
    assert report.unknown == [folder.name]
    assert store.candidates(chain(settings_of("TriSampler"), "f" * 16).candidates) in [
        g.path for g in report.garbage
    ]


def test_while_one_of_them_is_unfinished_all_candidates_and_tokens_stay(store, garbage):
    run_without_links(store, done=False)
    assert garbage() == set()


def test_a_temporary_file_in_a_folder_that_goes_is_counted_once(store, garbage):
    folder = put(store, settings_of("TriSampler"), done=False)
    (folder / ".x.json.999999999.tmp").write_text("")
    old(folder)
    assert garbage() == {folder}


def test_what_depends_on_a_run_is_listed_before_it_goes(store, tmp_path):
    base, trained = put(store, settings_of("Base")), put(store, settings_of("TriSampler"))
    assert above(base.name, chains(stored_runs(store))) == [trained.name]
    lines = list(consequences(store, tmp_path, [StoredRun(base)]))
    assert "1 run(s) depend on it" in lines[1] and trained.name in lines[1]
    assert len(list(consequences(store, tmp_path, stored_runs(store)))) == 2


def test_the_commands(store, tmp_path, monkeypatch, few):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(store.root))
    monkeypatch.setenv("HARNESS_EXPERIMENTS", str(few.root))
    monkeypatch.setenv("COLUMNS", "250")
    folder, other = put(store, settings_of("TriSampler")), put(store, changed(candidates=33), done=False)

    def call(*arguments, answer=None):
        return CliRunner().invoke(app, ["runs", *arguments], input=answer)

    listed = call("list").stdout
    assert "simulation/" in listed and "trisampler" in listed and "unfinished" in listed
    shown = call("show", folder.name[:8]).stdout
    assert "simulation/trisampler/table-5: TriSampler" in shown
    assert "law trisampler(a 0.25" in shown and chain(settings_of("TriSampler"), COLLECTION).start in shown
    assert call("rm", folder.name, answer="n\n").exit_code == 1 and folder.is_dir()
    assert call("rm", folder.name, "--yes").exit_code == 0 and not folder.exists()
    old(other)
    assert "may be deleted" in call("gc").stdout and other.is_dir()
    assert "deleted" in call("gc", "--delete").stdout and not other.exists()
    assert "0 file(s)" in call("gc").stdout and not list(store.root.rglob("*.tmp"))


def test_runs_that_no_collection_serves_are_not_looked_for(few):
    rows = [row for run in target_runs(few, [COLLECTION]).values() for row in run.rows]
    assert {row.split("/")[0] for row in rows} == {"simulation", "scratch", "quick"}


def test_a_run_that_scales_share_is_of_the_rows_on_its_own_collection(few):
    """BM25 stands on a collection alone, so rows of every scale have its fingerprint on any."""
    [shared] = [run for run in target_runs(few, [COLLECTION]).values() if run.chain.tokens == run.chain.last]
    assert scales(shared.rows_on(None)) == {"simulation", "scratch", "quick"}
    for row, collection in shared.rows.items():
        assert row in shared.rows_on(collection)
        on_pydocs = {"scratch", "quick"}
        expected = on_pydocs if scales([row]) <= on_pydocs else {"simulation"}
        assert scales(shared.rows_on(collection)) == expected


def scales(rows):
    """The scales of rows, with which their names begin."""
    return {row.partition("/")[0] for row in rows}


def test_a_run_that_is_being_made_is_not_deleted(store, monkeypatch, garbage, few):
    folder = old(put(store, changed(candidates=33), done=False))
    monkeypatch.setenv("HARNESS_STORE", str(store.root))
    monkeypatch.setenv("HARNESS_EXPERIMENTS", str(few.root))
    with lease(store.lease(folder.name), "a run", print):
        assert folder not in garbage(days=0)
        ended = CliRunner().invoke(app, ["runs", "rm", folder.name, "--yes"])
        assert isinstance(ended.exception, BusyError) and "is being made by process" in str(ended.exception)
        assert folder.exists()
    assert folder in garbage(days=0)
    assert CliRunner().invoke(app, ["runs", "rm", folder.name, "--yes"]).exit_code == 0
    assert not folder.exists()


def test_runs_are_looked_for_on_the_collections_that_are_asked_for(few):
    every = target_runs(few, [COLLECTION])
    planted = settings_of("TriSampler").collection
    some = target_runs(few, [COLLECTION], [planted])
    assert {name: set(run.rows) for name, run in some.items()} == {
        name: set(run.rows_on(planted)) for name, run in every.items() if run.rows_on(planted)
    }
    assert target_runs(few, [COLLECTION], []) == {}


def test_runs_tell_what_they_are_made_on_unless_one_does_not(store):
    folder = put(store, settings_of("TriSampler"))
    put(store, settings_of("BM25"), collection="f" * 16)
    assert sorted(collections_of(stored_runs(store))) == [COLLECTION, "f" * 16]
    (folder / "links.json").write_text("[")
    assert collections_of(stored_runs(store)) is None
    assert collections_of([]) == []
